import numpy as np
import pytest

from evermodel.models import rbm
from evermodel.runs import saved

RNG = np.random.default_rng(3)
LABELS = RNG.integers(0, 2, 200)
# Bars that lie or stand: no pixel by itself tells which.
BARS = np.zeros((200, 6, 6, 1), np.uint8)
for bar, label, place in zip(BARS, LABELS, RNG.integers(0, 6, 200), strict=True):
    bar[(place, slice(None)) if label else (slice(None), place)] = RNG.integers(128, 256)


@pytest.fixture(scope="module")
def fitted():
    model = rbm.build((6, 6, 1), "classification", components=32, learning_rate=0.1, iterations=60)
    return model.fit(BARS, LABELS)


def test_it_tells_what_no_single_pixel_tells(fitted):
    assert fitted.score(BARS, LABELS) > 0.95


def test_only_which_pixels_are_bright_counts(fitted):
    black_and_white = np.where(BARS > 127, 255, 100).astype(np.uint8)
    assert np.array_equal(fitted.predict_proba(black_and_white), fitted.predict_proba(BARS))


def test_it_is_saved_without_pickle_and_predicts_the_same(fitted, tmp_path):
    predict = saved.predictor(saved.save_sklearn(fitted, tmp_path))
    assert np.array_equal(predict(BARS), fitted.predict_proba(BARS))


def test_fitting_again_gives_the_same_bytes(fitted, tmp_path):
    files = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        files.append(saved.save_sklearn(fitted.fit(BARS, LABELS), tmp_path / name).read_bytes())
    assert files[0] == files[1]
