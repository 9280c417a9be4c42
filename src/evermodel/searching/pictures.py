"""Pictures of a study, as Optuna draws them."""

import io
from collections.abc import Callable
from typing import Any

import optuna
from optuna.visualization import matplotlib as drawing

from evermodel.searching import study

HISTORY = "history.png"
DRAWN: dict[str, Callable[..., Any]] = {
    HISTORY: drawing.plot_optimization_history,
    "parallel_coordinates.png": drawing.plot_parallel_coordinate,
    "importances.png": drawing.plot_param_importances,
}
FEWEST = 3  # trials that one can draw


def drawn(of: optuna.Study, metric: str) -> dict[str, bytes]:
    """PNGs by their names: the history of the best, parallel coordinates, and how much each value matters.

    None of a study of fewer than three finished trials, or whose trials all came to the same.
    """
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    finished = [trial.value for trial in study.ended(of) if trial.value is not None]
    if len(finished) < FEWEST or len(set(finished)) == 1:
        return {}
    files = {}
    for name, draw in DRAWN.items():
        named = {} if draw is drawing.plot_param_importances else {"target_name": metric}
        figure = draw(of, **named).figure
        stream = io.BytesIO()
        figure.savefig(stream, bbox_inches="tight", dpi=100, metadata={"Software": None})
        files[name] = stream.getvalue()
        pyplot.close(figure)
    return files
