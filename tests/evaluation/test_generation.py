import numpy as np
import pandas as pd
import pytest

from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import generation
from evermodel.evaluation.judge import Judge
from evermodel.runs import network
from tests.specs import make_spec

RNG = np.random.default_rng(4)
SHAPE = (60, 4, 4, 1)
TRAIN, X = (RNG.integers(0, 256, SHAPE).astype(np.uint8) for _ in range(2))
TEST = Split(X, np.arange(60) % 3)
SPEC = make_spec("images", classes=("a", "b", "c"))


def features(x):
    """The mean of the upper and of the lower half."""
    return np.stack([x[:, :2].mean(axis=(1, 2, 3)), x[:, 2:].mean(axis=(1, 2, 3))], axis=1)


JUDGE = Judge("cafe", features, features, features(TRAIN), features(X))


class Generator:
    """Makes images of noise by a table, and knows no codes of images unless it is told to."""

    size = 3

    def __init__(self, tells=True):
        self.tells = tells

    def __call__(self, x):
        if hasattr(x, "columns"):
            x = network.noise(x["seed"], self.size)
        if x.ndim > 2:
            if not self.tells:
                raise ValueError("takes noise")
            return features(x) @ np.ones((2, 3), np.float32) / 100
        waves = np.linspace(-1, 1, 3 * 16).reshape(3, 16)
        return (1 / (1 + np.exp(-x @ waves))).reshape(-1, 4, 4, 1).astype(np.float32)


def score(made, **changes):
    return generation.score(TEST, made[:, None] / 255, SPEC, judge=JUDGE, **changes)


def test_a_model_is_asked_for_one_example_of_each_seed_and_for_the_test_rows_again():
    ask = Generator()
    both, alone = generation.answer(ask, X), generation.answer(Generator(tells=False), X)
    assert both.shape == (60, 2, 4, 4, 1)
    assert np.array_equal(both[:, 0], ask(network.noise(range(60), 3)))
    assert np.array_equal(both[:, 1], ask(ask(X)))
    assert np.array_equal(alone, both[:, :1])


def test_test_rows_that_are_made_again_are_perfect_and_copies_of_training_rows_are_told():
    same, copies = score(X), score(TRAIN)
    told = generation.metrics(same, SPEC)
    assert told["frechet"] == pytest.approx(0, abs=1e-6)
    assert (told["precision"], told["recall"]) == (1, 1)
    assert told["memorisation"] == pytest.approx(0.5)
    assert generation.metrics(copies, SPEC)["memorisation"] == 1
    assert copies["nearest"].max() == 0
    assert copies["nearest_row"].tolist() == list(range(60))
    assert copies["real_nearest"].min() > 0


def test_one_image_again_and_again_is_precise_and_recalls_nothing_and_is_far_away():
    collapsed = np.repeat(X[:1], 60, axis=0)
    told, other = (generation.metrics(score(made), SPEC) for made in (collapsed, TRAIN))
    assert told["precision"] == 1
    assert told["recall"] < 0.1
    assert told["frechet"] > 5 * other["frechet"]


def test_the_error_of_test_rows_drawn_again_is_told_where_there_is_one():
    again = np.stack([X / 255, (X / 255 + 0.1)], axis=1).clip(0, 1)
    scores = generation.score(TEST, again, SPEC, judge=JUDGE)
    assert scores["mse"].to_numpy() == pytest.approx(((X / 255 - again[:, 1]) ** 2).mean(axis=(1, 2, 3)))
    assert "mse" in generation.metrics(scores, SPEC)
    assert "mse" not in generation.metrics(score(X), SPEC)


def test_what_was_made_is_judged_as_images_of_eight_bits():
    scores = generation.score(TEST, X[:, None] / 255 + 1e-4, SPEC, judge=JUDGE) if X.max() < 255 else score(X)
    assert np.array_equal(scores.filter(regex="^made_"), features(X))


@pytest.mark.parametrize("wrong", [X[:, None, :2] / 255, X[:, None] / 100, X[:50, None] / 255])
def test_what_is_no_image_of_the_test_rows_size_is_refused(wrong):
    with pytest.raises(EvermodelError, match="end the decoder"):
        generation.score(TEST, wrong, SPEC, judge=JUDGE)


def test_figures_show_what_the_model_can_be_asked():
    def drawn(ask):
        answers = generation.answer(ask, X)
        scores = generation.score(TEST, answers, SPEC, judge=JUDGE)
        train = Split(TRAIN, TEST.y)
        return generation.figures(scores, SPEC, Predictions(TEST, answers, answers, X, train, ask))

    assert set(drawn(Generator(tells=False))) == {"samples", "nearest", "interpolation"}
    found = drawn(Generator())
    assert set(found) == {"samples", "nearest", "interpolation", "reconstructions", "latent"}
    lines = np.array(found["interpolation"].axes).reshape(generation.LINES, generation.COLUMNS)
    first, last = (np.asarray(lines[1, place].get_images()[0].get_array()) / 255 for place in (0, -1))
    ends = Generator()(pd.DataFrame({"seed": [2, 3]}))[..., 0]
    assert first == pytest.approx(ends[0], abs=0.003)
    assert last == pytest.approx(ends[1], abs=0.003)
    shown = np.array(found["nearest"].axes).reshape(2, -1)[:, 0]
    assert [axes.get_images()[0].get_array().shape for axes in shown] == [(4, 4), (4, 4)]


def test_codes_of_any_number_lie_on_a_plane_with_their_classes():
    figure = generation._latent(RNG.normal(size=(60, 1)), TEST.y, SPEC)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a (20)", "b (20)", "c (20)"]
    plain = generation._latent(RNG.normal(size=(60, 5)), np.zeros(60, int), make_spec("images"))
    assert plain.axes[0].get_legend() is None
