"""What each column of a table is worth to a model: how much worse it does where the column tells nothing.

Permutation importance (Breiman 2001, "Random Forests"; Fisher, Rudin & Dominici 2019): the values of one
column are dealt out anew among the rows. Of two that tell the same each is worth little, as the other stays.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from evermodel.core.data import Array, Spec, Split
from evermodel.evaluation import evaluation, statistics
from evermodel.evaluation import figures as plots

ROWS = 2000
CELLS = 100_000  # rows times columns: seconds, however wide the table is
REPEATS = 5
SHOWN = 30  # columns in the figure


def of_columns(
    task: Any,
    predict: Callable[[Any], Array],
    split: Split,
    spec: Spec,
    options: Mapping[str, Any],
    seed: int,
) -> pd.DataFrame:
    """A row per column, the most important first: `column`, by how much the metric is worse without it (under
    the metric's name; above 0 where the column is worth something), and `sd` over REPEATS deals; six digits.

    The metric is the first headline of the task that is a mean over rows. split: rows of a table that nothing
    was fitted to and nothing is judged by, of which some are drawn; predict: takes a typed table.
    """
    rng = np.random.default_rng(seed)
    count = min(len(split), ROWS, max(1, CELLS // len(spec.columns)))
    drawn = np.sort(rng.choice(len(split), count, replace=False))
    frame, rows = split.x[drawn].frame(), Split(None, split.y[drawn])
    means = {name: how for name, how in task.statistics(spec).items() if how.kind == "mean"}
    metric = next(name for name in task.HEADLINES if name in means)
    sign = 1 if task.HEADLINES[metric] == "higher" else -1

    def worth(table: pd.DataFrame) -> float:
        scores = evaluation.score(task, rows, predict(table), spec, options)
        return sign * statistics.value(means[metric], scores)

    def dealt(column: pd.Series) -> pd.Series:
        return column.iloc[rng.permutation(count)].set_axis(frame.index)

    whole = worth(frame)
    lost = {
        name: [whole - worth(frame.assign(**{name: dealt(frame[name])})) for _ in range(REPEATS)]
        for name in spec.names
    }
    told = [
        (name, _rounded(float(np.mean(each))), _rounded(float(np.std(each)))) for name, each in lost.items()
    ]
    table = pd.DataFrame(told, columns=["column", metric, "sd"])
    return table.sort_values(metric, ascending=False, kind="stable", ignore_index=True)


def files(importance: pd.DataFrame, experiment: str, spec: Spec) -> dict[str, bytes]:
    """The table as importance.csv, and as importance.png."""
    with plots.look():
        drawn = plots.png(_figure(importance), experiment, spec)
    written = importance.to_csv(index=False, lineterminator="\n").encode()
    return {"importance.csv": written, "importance.png": drawn}


def _figure(importance: pd.DataFrame) -> Figure:
    shown, metric = importance[:SHOWN], importance.columns[1]
    figure = plots.page("importance of the columns", 7, 1.4 + 0.28 * len(shown))
    axes = figure.subplots()
    axes.barh(range(len(shown)), shown[metric], xerr=shown["sd"], color=plots.MODEL, ecolor=plots.QUIET)
    axes.set_yticks(range(len(shown)), list(shown["column"]))
    axes.invert_yaxis()
    axes.axvline(0, color=plots.QUIET, linewidth=1)
    axes.set(xlabel=f"how much worse {metric} is where the column's values are dealt out anew")
    axes.grid(visible=False, axis="y")
    return figure


def _rounded(value: float) -> float:
    """What lies behind six digits is another on another processor."""
    return float(f"{value:.6g}")
