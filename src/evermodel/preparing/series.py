"""Of a series the windows that were known before each step."""

import numpy as np

from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError


def windows(
    name: str, x: Array, y: Array, rows: dict[str, Array], length: int | None
) -> tuple[Array, Array, dict[str, Array]]:
    """Of a series x (steps, columns): what was known before each step, (n, length, columns), and its y.

    The first `length` steps have no such past and go. A test window may begin in training steps, as it
    would on the day; what is predicted never does.
    """
    if length is None or length >= len(rows["train"]):
        raise EvermodelError(
            f"data/{name}/params.yaml: window is {length}, but must be a number of steps "
            f"below {len(rows['train'])}"
        )
    past = np.lib.stride_tricks.sliding_window_view(x[:-1], length, axis=0).swapaxes(1, 2)
    return past, y[length:], {part: index[index >= length] - length for part, index in rows.items()}
