import numpy as np
import pytest

from evermodel.core.data import Predictions, Prepared, Split
from evermodel.evaluation import judge as judges
from evermodel.evaluation.judge import Judge
from evermodel.tasks import text_to_image
from tests.specs import make_spec

RNG = np.random.default_rng(4)
CAPTIONS = ("dark", "a light one", "two greys")
SPEC = make_spec("images", classes=CAPTIONS, input_shape=(4, 6, 3))
Y = np.arange(60) % 3
TONES = np.array([20, 220, 120])


def images(y):
    """As bright as the classes say, more or less."""
    noise = RNG.integers(-15, 16, (len(y), 4, 6, 3))
    return (TONES[y][:, None, None, None] + noise).astype(np.uint8)


def features(x):
    return np.stack([x[:, :2].mean(axis=(1, 2, 3)), x[:, 2:].mean(axis=(1, 2, 3))], axis=1)


def sees(x):
    return np.abs(x.mean(axis=(1, 2, 3))[:, None] - TONES).argmin(axis=1)


X, TRAIN = images(Y), images(Y % 2)
TEST = Split(X, Y)
JUDGE = Judge("cafe", features, sees, features(TRAIN), features(X))


def score(made):
    return text_to_image.score(TEST, made[:, None] / 255, SPEC, judge=JUDGE, known=np.array([0, 1]))


def test_a_model_is_asked_for_the_caption_of_each_test_row_by_the_number_of_the_row():
    asked = []

    def ask(rows):
        asked.append(rows)
        return X / 255

    found = text_to_image.answer(ask, X, captions=["dark", "two greys"])
    assert found.shape == (60, 1, 4, 6, 3)
    assert asked[0].to_dict("list") == {"seed": [0, 1], "caption": ["dark", "two greys"]}


def test_captions_and_those_that_are_known_are_told_by_the_rows(monkeypatch):
    monkeypatch.setattr(judges, "load", lambda prepared: JUDGE)
    splits = {"train": Split(TRAIN, Y % 2), "test": Split(X[:4], Y[:4])}
    told = text_to_image.told(Prepared(SPEC, splits, {}))
    assert told["captions"] == [*CAPTIONS, CAPTIONS[0]]
    assert told["known"].tolist() == [0, 1]
    assert told["judge"] is JUDGE


def test_what_shows_what_was_asked_is_found_whether_a_caption_is_new_or_not():
    right, wrong = (text_to_image.metrics(score(made), SPEC) for made in (images(Y), images(Y[::-1])))
    names = ("found", "found_new", "found_1_words", "found_2_words", "found_3_words", "real_found")
    assert [right[name] for name in names] == [1] * 6
    assert [wrong[name] for name in names] == [1 / 3, 0, 0, 0, 1, 1]
    assert right["frechet"] < wrong["frechet"] + 50


def test_what_is_drawn_of_one_caption_alone_is_found_there_alone():
    scores = score(images(np.zeros(60, int)))
    assert scores["found"].tolist() == (Y == 0).astype(int).tolist()
    assert scores["new"].tolist() == (Y == 2).astype(int).tolist()
    assert text_to_image.metrics(scores, SPEC)["recall"] < 0.5


class Drawer:
    """Looks at the first word alone."""

    def looks(self, rows):
        looks = np.zeros((len(rows), 2, 3, 4))
        looks[..., 0] = 1
        return looks


def test_attention_to_each_word_is_shown_where_a_model_tells_it():
    made = images(Y)[:, None] / 255
    parts = (TEST, made, made, X, Split(TRAIN, Y % 2))
    scores = text_to_image.score(TEST, made, SPEC, judge=JUDGE, known=np.array([0, 1]))
    assert set(text_to_image.figures(scores, SPEC, Predictions(*parts))) == {"samples", "nearest"}
    drawn = text_to_image.figures(scores, SPEC, Predictions(*parts, Drawer()))
    panels = np.array(drawn["attention"].axes).reshape(text_to_image.LOOKS, 3)
    assert [axes.get_title() for axes in panels[1]] == ["a", "light", "one"]
    first, second = (np.asarray(axes.get_images()[0].get_array()) for axes in panels[1, :2])
    assert (first == [213, 94, 0]).all()
    assert second == pytest.approx(made[1, 0] * 255 / 2, abs=1)
