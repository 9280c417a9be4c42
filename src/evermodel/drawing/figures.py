"""Things as tables of the shapes that they are drawn from."""

from typing import NamedTuple

import numpy as np

from evermodel.drawing.canvas import Canvas, Colour, shaded

# A brightness, times the figure's colour, or a colour of its own; then x, y, x, y ... of a polygon's corners
# or, if these are four numbers, the middle and the half axes of an ellipse, all in hundredths.
Part = tuple[float | Colour, tuple[float, ...]]


class Figure(NamedTuple):
    """A thing's parts from back to front. halves: each is there once more as its mirror image."""

    parts: tuple[Part, ...]
    halves: bool = False

    def draw(self, canvas: Canvas, colour: Colour, random: np.random.RandomState, wobble: float) -> None:
        """Draw it in that colour. wobble: by how much of itself each of its numbers may be off."""
        for tone, numbers in self.parts:
            paint = tone if isinstance(tone, tuple) else shaded(colour, tone)
            places = np.array(numbers) / 100 * random.uniform(1 - wobble, 1 + wobble, len(numbers))
            for side in (1, -1) if self.halves else (1,):
                half = canvas.at(0, 0, side, 1)
                if len(places) == 4:
                    x, y, width, height = places
                    half.oval(x, y, width, height, paint)
                else:
                    half.shape(places.reshape(-1, 2), paint)
