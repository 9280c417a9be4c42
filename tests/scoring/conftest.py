"""Champions that answer at once, small pieces, and files to score."""

import weakref

import numpy as np
import pytest
from PIL import Image

from evermodel.formats import table_file
from evermodel.scoring import pieces
from evermodel.serving.champion import Champion
from tests.specs import make_spec


class Model:
    """Predictions with the mean of an example's numbers, or a text's length, until its patience ends.

    asked: how many examples at each time. alive: how many pieces were in memory then, itself included.
    """

    def __init__(self):
        self.asked, self.alive, self.patience = [], [], 100
        self._seen = []

    def __call__(self, x):
        if len(self.asked) == self.patience:
            raise KeyboardInterrupt
        self.asked.append(len(x))
        self._seen.append(weakref.ref(x))
        self.alive.append(sum(one() is not None for one in self._seen))
        if isinstance(x, np.ndarray) and x.dtype == object:
            return np.array([[len(text) / 100] for text in x])
        return np.asarray(x).reshape(len(x), -1).mean(axis=1)


@pytest.fixture
def champion(monkeypatch):
    """A function that makes a champion for a kind of data; pieces are of three rows, or of two files."""
    monkeypatch.setattr(table_file, "ROWS", 3)
    monkeypatch.setattr(pieces, "FILES", 2)

    def make(kind="table", version=7, run="cafe", **changes):
        example, card = np.zeros(0), ""  # which scoring does not look at
        return Champion(
            "houses", version, run, "regression", make_spec(kind, **changes), Model(), example, card
        )

    return make


@pytest.fixture
def table(tmp_path):
    """Ten rows of a CSV."""
    file = tmp_path / "in" / "t.csv"
    file.parent.mkdir()
    file.write_text("b,a\n" + "".join(f"{row}.5,{row}\n" for row in range(10)))
    return file


@pytest.fixture
def album(tmp_path):
    """A folder of five images, each of one colour, and of what is none."""
    folder = tmp_path / "album"
    (folder / "more").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.PNG", "c.jpg", "more/d.png", "more/e.bmp")):
        Image.new("L", (4, 4), 10 * number).save(folder / name)
    for name in ("notes.txt", "._a.png"):
        (folder / name).write_text("no image")
    return folder
