"""Evaluation of images that were drawn as captions say, by what a fixed classifier sees on them.

Each test row's caption is asked for, with a seed, the number of the row.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from evermodel.core.data import Array, Predictions, Prepared, Spec, Split
from evermodel.core.generation import CAPTION, seeds, words
from evermodel.evaluation import attention, generation, judge, reconstruction
from evermodel.evaluation import figures as plots
from evermodel.evaluation.judge import Judge
from evermodel.evaluation.statistics import Statistic, mean

HEADLINES: dict[str, str] = {"found": "higher", "frechet": "lower"}
ACROSS: tuple[str, ...] = ("frechet",)  # compares what was made with rows of every kind
LEAST: dict[str, str] = {
    "found": "what it draws is mostly not what was asked for",
    "recall": "it has collapsed, most of what is real is like nothing that it makes",
}
SHOWN, LOOKS = 10, 4  # images, and those whose attention is

worst = generation.worst
examples = generation.examples


def told(prepared: Prepared) -> dict[str, Any]:
    """What `answer` and `score` take beside the test rows: the judge, their captions, and those that training
    rows have, by their numbers. Raises EvermodelError if the data set has no judge.
    """
    known, asked = (prepared.splits[name].y for name in ("train", "test"))
    captions = [prepared.spec.classes[number] for number in asked]
    return {"judge": judge.load(prepared), "captions": captions, "known": np.unique(known)}


def answer(predict: Callable[[Any], Array], x: Array, *, captions: Sequence[str]) -> Array:
    """What a model draws of seeds and captions, one for each test row: (n, 1, height, width, channels)."""
    return predict(_asked(captions))[:, None]


def score(test: Split, prediction: Array, spec: Spec, *, judge: Judge, known: Array) -> pd.DataFrame:
    """What generation.score tells, and found (0 or 1: the judge sees on what was drawn what was asked for);
    real_found, the same of the test row; new (0 or 1: no training row has that caption), and words, how many
    the caption has.

    prediction: (n, 1, height, width, channels), 0 to 1. Raises EvermodelError as generation.score does.
    """
    scores = generation.score(test, prediction, spec, judge=judge)
    drawn = reconstruction.eight_bit(prediction[:, 0])
    lengths = np.array([len(words(caption)) for caption in spec.classes])
    return scores.assign(
        found=(judge.sees(drawn) == test.y).astype(np.int64),
        real_found=(judge.sees(test.x) == test.y).astype(np.int64),
        new=(~np.isin(test.y, known)).astype(np.int64),
        words=lengths[test.y],
    )


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """Those of generation.metrics; found and real_found, the shares; and found of captions that no training
    row has (found_new), and of those with so many words (found_2_words).
    """
    of_words = {f"found_{n}_words": rows.mean() for n, rows in scores.groupby("words")["found"]}
    new = scores.loc[scores["new"] == 1, "found"]
    return {
        **generation.metrics(scores, spec),
        **{name: scores[name].mean() for name in ("found", "real_found")},
        **({"found_new": new.mean()} if len(new) else {}),
        **of_words,
    }


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores."""
    return {"found": mean("found"), **generation.statistics(spec)}


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """samples, and beside those of the baseline; nearest, the training rows that are most like some of them;
    and attention, how much each patch of some looked at each word, if the model tells that.
    """
    captions = [spec.classes[number] for number in predictions.test.y]
    drawn = {"samples": _samples(predictions, captions)}
    if predictions.train is not None:
        drawn["nearest"] = generation.nearest(scores, examples(predictions), predictions.train.x)
    if hasattr(predictions.ask, "looks"):
        drawn["attention"] = _attention(examples(predictions), captions[:LOOKS], predictions.ask.looks)
    return drawn


def _samples(predictions: Predictions, captions: Sequence[str]) -> Figure:
    """Of the first captions the test row, what was drawn, and what the baseline made of the same seed."""
    both = [reconstruction.eight_bit(each[:SHOWN, 0]) for each in (predictions.model, predictions.baseline)]
    lines = [list(line) for line in zip(predictions.test.x[:SHOWN], *both, strict=True)]
    return plots.gallery("drawn of captions", lines, ["test row", "ours", "baseline"], captions[: len(lines)])


def _attention(drawn: Array, captions: Sequence[str], looks: Callable[[Any], Array]) -> Figure:
    """Of some images how much each patch attended to each word."""
    found = looks(_asked(captions))
    lines = [attention.over(*one) for one in zip(drawn, found, captions, strict=False)]
    columns = max(map(len, lines))
    figure = plots.page("attention to each word", 1.7 * columns, 0.8 + 1.2 * len(lines))
    for panels, line in zip(figure.subplots(len(lines), columns, squeeze=False), lines, strict=True):
        for axes in panels:
            axes.set_axis_off()
        for axes, (image, word) in zip(panels, line, strict=False):
            axes.imshow(image)
            axes.set_title(word, fontsize="small")
    return figure


def _asked(captions: Sequence[str]) -> pd.DataFrame:
    return seeds(len(captions)).assign(**{CAPTION.name: np.array(captions, dtype=object)})
