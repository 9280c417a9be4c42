"""Figures that several kinds of task share, and the one look and format of all."""

import io
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import chain

import numpy as np
import pandas as pd
from matplotlib import colormaps, style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import RocCurveDisplay

from evermodel import number
from evermodel.core.columns import Column
from evermodel.core.data import Array, Spec
from evermodel.core.fields import TEXTS

MODEL, OTHER, QUIET = "#0072b2", "#d55e00", "#666666"  # Okabe & Ito 2008: told apart by the colour-blind
LOOK = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelcolor": "#333333",
    "axes.edgecolor": "#999999",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.dpi": 130,
    "figure.titlesize": "large",
    "figure.titleweight": "bold",
    "font.family": "DejaVu Sans",  # ships with Matplotlib, so that every machine draws the same letters
    "grid.color": "#e8e8e8",
    "legend.frameon": False,
    "text.parse_math": False,  # a class may be called "$"
    "xtick.color": "#333333",
    "ytick.color": "#333333",
}
MOST_COUNTS = 30  # classes; above, the counts of a confusion matrix could not be read
MOST_LETTERS = 70  # of all classes' names side by side
MOST_COLUMNS = 16
MOST_LETTERS_OF_A_FIELD = 24
MOST_WORDS = 60
GRID_COLUMNS = 4
MARKERS = "os^D"
BINS = 30


def look() -> AbstractContextManager[None]:
    """Draw inside `with look():`, where only LOOK holds, whatever a matplotlibrc on this machine says."""
    return style.context(LOOK, after_reset=True)


def page(title: str, width: float, height: float) -> Figure:
    """An empty figure of that size in inches, bound to no window and no pyplot."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def png(figure: Figure, experiment: str, spec: Spec) -> bytes:
    """The image as PNG under the experiment's name; the same figure gives the same bytes."""
    figure.suptitle(f"{experiment}: {figure.get_suptitle()}", x=0.01, ha="left")
    figure.supxlabel(origin(spec), x=0.01, ha="left", fontsize="small", color=QUIET)
    # What savefig does draws each figure twice.
    canvas, buffer = FigureCanvasAgg(figure), io.BytesIO()
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    Image.fromarray(pixels).convert("RGB").save(buffer, "png")
    return buffer.getvalue()


def origin(spec: Spec) -> str:
    """The line under every image: which data, and whether they are synthetic."""
    return f"{spec.dataset} ({spec.edition})" + (" · synthetic data" if spec.synthetic else "")


def learning_curve(history: pd.DataFrame) -> Figure:
    """One panel for each column that has a `val_` twin, over the column `epoch`."""
    measures = [column for column in history if f"val_{column}" in history]
    figure = page("learning curve", 4.4 * len(measures), 3.6)
    panels = figure.subplots(1, len(measures), squeeze=False)[0]
    for panel, measure in zip(panels, measures, strict=True):
        panel.plot(history["epoch"], history[measure], color=MODEL, label="training")
        panel.plot(history["epoch"], history[f"val_{measure}"], color=OTHER, label="validation")
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.set(xlabel="epoch", ylabel=measure)
    panels[-1].legend()
    return figure


def calibration(truth: Array, probability: Array, event: str) -> Figure:
    """A reliability diagram over how often each probability was given.

    truth: (n,) 0 or 1, whether the event happened; probability: (n,) that was given to it.
    """
    figure = page("calibration", 5, 5.4)
    curve, counts = figure.subplots(2, sharex=True, height_ratios=(4, 1))
    CalibrationDisplay.from_predictions(
        truth, probability, n_bins=10, pos_label=1, ax=curve, color=MODEL, label="model"
    )
    curve.set(xlabel="", ylabel=f"share that is {event}", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    counts.hist(probability, bins=np.linspace(0, 1, 11), color=MODEL, rwidth=0.9)
    counts.set(xlabel=f"predicted probability of being {event}", ylabel="test rows")
    return figure


def heat(axes: Axes, shares: Array, texts: Array, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Fill the axes with a table whose cells are the darker, the larger their share (0 to 1)."""
    shades = np.sqrt(shares)  # so that small shares show at all
    axes.pcolormesh(shades, cmap="Blues", vmin=0, vmax=1, edgecolors="#e8e8e8", linewidth=0.5)
    axes.invert_yaxis()
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns)
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows)
    axes.tick_params(length=0, labelsize=min(10, 700 / len(rows)))
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    for (row, column), shade in np.ndenumerate(shades):
        colour, text = "white" if shade > 0.6 else "#333333", str(texts[row, column])
        if text:
            axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=colour, fontsize="small")


def confusion(counts: Array, classes: Sequence[str]) -> Figure:
    """Counts (k, k) with true classes as rows, shaded by the share of the row."""
    side = min(3.5 + 0.45 * len(classes), 13)
    figure = page("confusion matrix", side, side)
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    written = (counts > 0) & (len(classes) <= MOST_COUNTS)
    heat(axes, shares, np.where(written, counts.astype(str), ""), classes, classes)
    if len(classes) * max(map(len, classes)) > MOST_LETTERS:
        axes.tick_params(axis="x", rotation=90)
    axes.set(xlabel="predicted", ylabel="true", title="test rows (shade: share of the true class)")
    return figure


def roc(truth: Array, scores: Mapping[str, Array], classes: Sequence[str]) -> Figure:
    """The ROC curves of each who gave scores (n,), higher for class 1; truth: (n,) 0 or 1."""
    figure = page("ROC curve", 5, 5)
    axes = figure.subplots()
    for (name, values), colour in zip(scores.items(), (MODEL, OTHER), strict=False):
        drawn = {"name": name, "ax": axes, "curve_kwargs": {"color": colour}}
        RocCurveDisplay.from_predictions(truth, values, **drawn)
    axes.axline((0, 0), slope=1, color=QUIET, linestyle="--", linewidth=1)
    axes.set(xlabel=f"share of {classes[0]} taken for {classes[1]}", ylabel=f"share of {classes[1]} found")
    return figure


def histograms(title: str, values: Mapping[str, Array], measured: str, share: str) -> Figure:
    """How often each of up to three had which values (n,), over bins that they share; finite numbers only."""
    figure = page(title, 6, 3.8)
    axes = figure.subplots()
    bins = np.histogram_bin_edges(np.concatenate([*values.values()]), BINS).tolist()
    for (name, numbers), colour in zip(values.items(), (MODEL, OTHER, QUIET), strict=False):
        weights = np.full(len(numbers), 1 / max(1, len(numbers)))
        axes.hist(numbers, bins, weights=weights, histtype="step", linewidth=1.5, color=colour, label=name)
    axes.set(xlabel=measured, ylabel=share)
    axes.legend()
    return figure


def plane(title: str, points: Array, labels: Array, classes: Sequence[str]) -> Figure:
    """Points (n, 2) of the numbers of classes (n,), or all alike without classes.

    Ten colours times four markers tell forty classes apart.
    """
    figure = page(title, 9 if classes else 6.5, 6)
    axes = figure.subplots()
    colours = colormaps["tab10"].colors  # type: ignore[attr-defined]
    for label, name in enumerate(classes or ("",)):
        rows = points[labels == label]
        axes.scatter(
            rows[:, 0],
            rows[:, 1],
            s=22,
            color=colours[label % len(colours)],
            marker=MARKERS[label // len(colours) % len(MARKERS)],
            linewidths=0,
            alpha=0.8,
            label=f"{name} ({len(rows)})",
        )
    axes.set(xlabel="first principal component", ylabel="second principal component")
    if classes:
        axes.legend(title="true class (test rows)", loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


def spread(errors: Array, count: int) -> Array:
    """The numbers of up to `count` examples, evenly from the smallest error (n,) to the largest."""
    places = np.linspace(0, len(errors) - 1, min(count, len(errors)))
    return np.asarray(np.argsort(errors, kind="stable")[places.round().astype(int)])


def gallery(
    title: str, rows: Sequence[Sequence[Array]], columns: Sequence[str], captions: Sequence[str]
) -> Figure:
    """Images (height, width[, channels]) uint8 in rows and columns, with a caption left of each row."""
    height, width = rows[0][0].shape[:2]
    figure = page(title, 1 + 1.5 * len(columns), 0.8 + 1.5 * min(1, height / width) * len(rows))
    panels = figure.subplots(len(rows), len(columns), squeeze=False)
    for axes, image in zip(panels.ravel(), chain.from_iterable(rows), strict=True):
        axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    for axes, name in zip(panels[0], columns, strict=True):
        axes.set_title(name)
    for axes, caption in zip(panels[:, 0], captions, strict=True):
        axes.set_ylabel(caption, rotation=0, ha="right", va="center", fontsize="small")
    return figure


def worst_images(images: Array, worst: pd.DataFrame) -> Figure:
    """The images (m, height, width, channels) uint8 under what `worst` (m rows) says of each."""
    lines = -(-len(images) // GRID_COLUMNS)
    figure = page("worst of the test images", 8, 0.7 + 2.4 * lines)
    panels = figure.subplots(lines, GRID_COLUMNS, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, image, caption in zip(panels, images, captions(worst), strict=False):
        axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255)
        axes.set_title("\n".join(caption), fontsize="small")
    return figure


def worst_rows(rows: pd.DataFrame, columns: Sequence[Column], worst: pd.DataFrame) -> Figure:
    """The first columns of some typed rows beside what `worst` (as many rows) says of each, as a table."""
    shown = {one.name: _readable(rows[one.name], one.kind) for one in columns[:MOST_COLUMNS]}
    table = pd.concat([pd.DataFrame(shown), worst.reset_index(drop=True)], axis=1)
    lines = table.to_string(index=False, float_format=number.text)
    figure = page("worst of the test rows", 0.4 + 0.075 * lines.index("\n"), 0.8 + 0.24 * len(table))
    # One text in a font of equal widths: a table of Matplotlib's takes ten times as long.
    figure.text(0.01, 0.5, lines, va="center", family="DejaVu Sans Mono", fontsize=9, linespacing=1.8)
    return figure


def _readable(values: pd.Series, kind: str) -> pd.Series:
    """Times as people write them, and the beginning of a text."""
    if kind == "time":
        return pd.to_datetime(values, unit="s").dt.strftime("%Y-%m-%d %H:%M").fillna("")
    if kind in TEXTS:
        return values.map(
            lambda text: textwrap.shorten(text or "", MOST_LETTERS_OF_A_FIELD, placeholder=" …")
        )
    return values


def worst_texts(texts: Array, experiment: str, spec: Spec, worst: pd.DataFrame) -> str:
    """A Markdown page of the texts (m,), each cut short, under what `worst` (m rows) says of it.

    Texts stand as indented code, where no character of theirs means anything to Markdown.
    """
    entries = [
        f"## {place}. {', '.join(caption)}\n\n{textwrap.indent(_cut(text), ' ' * 4)}"
        for place, (text, caption) in enumerate(zip(texts, captions(worst), strict=True), start=1)
    ]
    return "\n\n".join([f"# {experiment}: worst of the test texts", origin(spec), *entries]) + "\n"


def captions(worst: pd.DataFrame) -> list[list[str]]:
    """What each row says, a line for each column: its name and value."""
    return [[f"{name} {_short(value)}" for name, value in row.items()] for _, row in worst.iterrows()]


def _cut(text: str) -> str:
    words = text.split()
    return textwrap.fill(" ".join(words[:MOST_WORDS]) + (" …" if len(words) > MOST_WORDS else ""), 100)


def _short(value: object) -> str:
    return number.text(value) if isinstance(value, float) else str(value)
