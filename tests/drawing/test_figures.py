import numpy as np

from evermodel.drawing.canvas import Canvas
from evermodel.drawing.figures import Figure

GREEN = (0, 200, 0)


def drawn(figure, wobble=0.0, seed=0):
    canvas = Canvas.blank(40, 40, (0, 0, 0))
    figure.draw(canvas, GREEN, np.random.RandomState(seed), wobble)
    return canvas.finished()


def test_a_part_has_a_brightness_or_a_colour_of_its_own():
    image = drawn(Figure(((0.5, (-100, -100, 0, -100, 0, 100, -100, 100)), ((9, 8, 7), (50, 0, 30, 30)))))
    assert tuple(image[20, 5]) == (0, 100, 0)
    assert tuple(image[20, 30]) == (9, 8, 7)
    assert image[2, 35].max() == 0


def test_halves_are_mirrored_however_they_wobble():
    figure = Figure(((1, (0, -50, 40, -50, 60, 50, 0, 50)),), halves=True)
    image, other = drawn(figure, 0.3, 1)[..., 1], drawn(figure, 0.3, 2)[..., 1]
    assert np.abs(image - image[:, ::-1]).mean() < 5
    assert image[20, 20] == 200
    assert np.abs(image - other).mean() > 5
