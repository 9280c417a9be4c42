"""Evaluation of what a model makes of texts: the bits that each character takes, given those before it."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from evermodel.core import generation
from evermodel.core.data import Array, Predictions, Spec, Split
from evermodel.evaluation import figures as plots
from evermodel.evaluation.predictions import check
from evermodel.evaluation.statistics import Statistic

HEADLINES: dict[str, str] = {"bits_per_character": "lower"}
JUDGED = 250  # characters of each test text, the first ones
ADVICE = "the bits of each character, which are never below 0"
PASSAGES, LETTERS = 4, 64  # that are shown, and of a line


def inputs(x: Array, options: Mapping[str, Any], seed: int) -> Array:
    """The first JUDGED characters of texts (n,)."""
    return np.array([text[:JUDGED] for text in x], dtype=object)


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example: bits (their sum over its first JUDGED characters) and characters (how many).

    test.x: (n,) texts; prediction: (n, longest), the bits of each character, 0 after the end of a text.
    Raises EvermodelError if it is of another shape, not finite or below 0.
    """
    characters = np.array([min(len(text), JUDGED) for text in test.x])
    check(prediction, (len(test), characters.max(initial=0)), ADVICE, (0, np.inf))
    return pd.DataFrame({"bits": prediction.sum(axis=1, dtype=float), "characters": characters})


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """bits_per_character: of all characters together, so that each counts alike; and perplexity, two to the
    power of that: among how many equally likely characters the next one would be as hard to tell.
    """
    bits = scores["bits"].sum() / scores["characters"].sum()
    return {"bits_per_character": bits, "perplexity": 2**bits}


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores."""
    return {"bits_per_character": Statistic(kind="ratio", columns=("bits", "characters"))}


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """The most surprising texts, by bits per character, most surprising first; the index is the row."""
    each = _of_each(scores).nlargest(count)
    return pd.DataFrame({"bits per character": each, "characters": scores["characters"].loc[each.index]})


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """places, the bits of a character by how many are before it; texts, their bits per character; and what
    model and baseline write of the first seeds, without a prompt (passages), if they can be asked.
    """
    both = {"ours": predictions.model, "baseline": predictions.baseline}
    each = {
        name: _of_each(score(predictions.test, bits, spec)).dropna().to_numpy() for name, bits in both.items()
    }
    drawn = {
        "places": _places(both, scores["characters"].to_numpy()),
        "texts": plots.histograms("texts", each, "bits per character of a text", "share of test rows"),
    }
    if predictions.ask is None or predictions.ask_baseline is None:
        return drawn
    asked = generation.seeds(PASSAGES, generation.ASKED["text"])
    written = {"ours": predictions.ask(asked), "baseline": predictions.ask_baseline(asked)}
    return drawn | {"passages": _passages(written)}


def _of_each(scores: pd.DataFrame) -> pd.Series:
    """Bits per character of each text, NaN of one without any."""
    return scores["bits"] / scores["characters"].where(scores["characters"] > 0)


def _places(both: Mapping[str, Array], characters: Array) -> Figure:
    figure = plots.page("bits by place", 6, 3.8)
    axes = figure.subplots()
    for (name, bits), colour in zip(both.items(), (plots.MODEL, plots.OTHER), strict=True):
        texts = (np.arange(bits.shape[1])[:, None] < characters).sum(axis=1)
        axes.plot(np.arange(1, bits.shape[1] + 1), bits.sum(axis=0) / texts, color=colour, label=name)
    axes.set(xscale="log", xlabel="place of the character in its text", ylabel="bits per character")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper right")
    return figure


def _passages(written: Mapping[str, Array]) -> Figure:
    """Side by side, the same seed in one line."""
    figure = plots.page("written of the first seeds", 13, 0.8 + 1.1 * PASSAGES)
    panels = figure.subplots(PASSAGES, len(written), squeeze=False)
    for column, (name, texts) in zip(panels.T, written.items(), strict=True):
        for seed, (axes, text) in enumerate(zip(column, texts, strict=True)):
            axes.set_axis_off()
            axes.set_title(f"{name}, seed {seed}", loc="left", fontsize="small")
            axes.text(0, 1, textwrap.fill(text, LETTERS), va="top", family="DejaVu Sans Mono", fontsize=9)
    return figure
