"""Evaluation of the forecast of a series' next steps against "the next ones are as the last one"."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics as measures

from evermodel.core.data import Array, Predictions, Spec, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import figures as plots
from evermodel.evaluation import predictions as shapes
from evermodel.evaluation.statistics import Statistic

HEADLINES: dict[str, str] = {"skill": "higher", "rmse": "lower", "mae": "lower"}


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per test window, each number the mean of its steps: absolute_error, squared_error (units of the
    target), persistence (the value of the window's last step), persistence_squared_error, and direction: 1
    if the forecast moves away from that as the truth does, 0 if against it, a half if either stands still.

    Beside them target and prediction, as target_1, target_2, … where the spec's horizon is more than a step;
    and where it has a season seasonal (the value of one season before), likewise, and its squared error.

    test: x (n, window, columns), of which column 0 is the series that y (n,) or (n, horizon) goes on with, in
    one unit; prediction: (n, horizon), or (n,) of one step. Raises EvermodelError if it is of another shape
    or not finite, or if the season is longer than a window.
    """
    steps = prediction[:, None] if prediction.shape == (len(test),) else prediction
    number, outputs = ("one number", "one output") if spec.horizon == 1 else ("a number", "as many outputs")
    advice = f"{number} for each step of {spec.target} that is predicted; give the model {outputs}"
    shapes.check(steps, (len(test), spec.horizon), advice)
    truth = np.asarray(test.y, dtype=float).reshape(len(test), -1)
    forecast, today = steps.astype(float), np.asarray(test.x[:, -1:, 0], dtype=float)
    scores = {
        **_named("target", truth),
        **_named("prediction", forecast),
        "absolute_error": np.abs(forecast - truth).mean(axis=1),
        "squared_error": ((forecast - truth) ** 2).mean(axis=1),
        "persistence": today[:, 0],
        "persistence_squared_error": ((truth - today) ** 2).mean(axis=1),
        "direction": ((1 + np.sign(truth - today) * np.sign(forecast - today)) / 2).mean(axis=1),
    }
    if spec.season:
        seasonal = _season_before(test.x, spec)
        scores |= _named("seasonal", seasonal)
        scores["seasonal_squared_error"] = ((truth - seasonal) ** 2).mean(axis=1)
    return pd.DataFrame(scores)


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """The windows with the largest error, largest first, as a reader wants them; the index is the row."""
    rows = scores.nlargest(count, "absolute_error")
    named = {"target": "true", "prediction": "predicted", "absolute_error": "off by"}
    return pd.DataFrame({title: _steps(rows, name).mean(axis=1) for name, title in named.items()}, rows.index)


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """All metrics of a table of scores, over all steps that are predicted, and of more than one step those of
    each: rmse_1, skill_1 and so on.

    skill: 1 - MSE / MSE of persistence (Murphy 1988); 0 is as good as persistence, 1 without error, and it
    is NaN where persistence has no error; seasonal_skill is beside the season before. direction: the share
    of moves up and down that are right.
    """
    truth, forecast = _steps(scores, "target"), _steps(scores, "prediction")
    persistence = scores["persistence_squared_error"].mean()
    found = {
        "direction": scores["direction"].mean(),
        "mae": scores["absolute_error"].mean(),
        "persistence_rmse": math.sqrt(persistence),
        "r2": measures.r2_score(truth.ravel(), forecast.ravel()),
        "rmse": math.sqrt(scores["squared_error"].mean()),
        "skill": _skill(scores["squared_error"].mean(), persistence),
    }
    if spec.season:
        seasonal = scores["seasonal_squared_error"].mean()
        found["seasonal_rmse"] = math.sqrt(seasonal)
        found["seasonal_skill"] = _skill(scores["squared_error"].mean(), seasonal)
    if spec.horizon > 1:
        errors, still = _rmse(forecast, truth), _rmse(_steps(scores, "persistence"), truth)
        found |= {f"rmse_{step}": error for step, error in enumerate(errors, 1)}
        pairs = zip(errors, still, strict=True)
        found |= {f"skill_{step}": _skill(our**2, their**2) for step, (our, their) in enumerate(pairs, 1)}
    return found


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores, which are in order of time, or in groups of neighbours."""
    both, in_time = ("squared_error", "persistence_squared_error"), not spec.groups
    return {
        "skill": Statistic(kind="skill", columns=both, in_time=in_time),
        "rmse": Statistic(kind="root_mean", columns=both[:1], in_time=in_time),
        "mae": Statistic(kind="mean", columns=("absolute_error",), in_time=in_time),
    }


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """forecast (with truth and persistence) and errors, over the test rows in order of time; of more than one
    step also steps, how the error grows with them.
    """
    drawn = {"errors": _errors(scores, spec), "forecast": _forecast(scores, spec)}
    return drawn | ({"steps": _by_step(scores, spec)} if spec.horizon > 1 else {})


def _named(name: str, steps: Array) -> dict[str, Array]:
    """The columns of values (n, horizon)."""
    if steps.shape[1] == 1:
        return {name: steps[:, 0]}
    return {f"{name}_{step}": column for step, column in enumerate(steps.T, 1)}


def _steps(scores: pd.DataFrame, name: str) -> Array:
    """The values (n, horizon), or (n, 1) of what is one for all steps."""
    columns = [name] if name in scores else list(scores.filter(regex=rf"^{name}_\d+$"))
    return scores[columns].to_numpy()


def _season_before(x: Array, spec: Spec) -> Array:
    """What the target was one season before each step, or as many seasons as were known, (n, horizon)."""
    window, season = x.shape[1], spec.season or 1
    if season > window:
        raise EvermodelError(
            f"has windows of {window} steps of data set {spec.dataset}, less than its season of {season}; "
            f"raise window in data/{spec.dataset}/params.yaml, or lower season there"
        )
    return np.asarray(x[:, window - season + np.arange(spec.horizon) % season, 0], dtype=float)


def _skill(error: float, reference: float) -> float:
    return 1 - error / reference if reference else math.nan


def _rmse(forecast: Array, truth: Array) -> list[float]:
    """The root mean squared error of each step."""
    return [float(value) for value in np.sqrt(((forecast - truth) ** 2).mean(axis=0))]


def _forecast(scores: pd.DataFrame, spec: Spec) -> Figure:
    """The first step and the last, one below the other, where there is more than one."""
    shown = sorted({1, spec.horizon})
    title = "forecast of the next step" if spec.horizon == 1 else f"forecast of the next {spec.horizon} steps"
    figure = plots.page(title, 9, 1 + 3 * len(shown))
    truth, forecast = _steps(scores, "target"), _steps(scores, "prediction")
    for step, axes in zip(shown, np.atleast_1d(figure.subplots(len(shown), sharex=True)), strict=True):
        axes.plot(truth[:, step - 1], color="#333333", linewidth=1.5, label="truth")
        axes.plot(scores["persistence"], color=plots.OTHER, linewidth=1, linestyle=":", label="persistence")
        axes.plot(forecast[:, step - 1], color=plots.MODEL, linewidth=1.5, label="forecast")
        axes.set(ylabel=spec.target if spec.horizon == 1 else f"{spec.target}, step {step}")
    axes.set(xlabel=_rows(spec))
    figure.axes[0].legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


def _errors(scores: pd.DataFrame, spec: Spec) -> Figure:
    figure = plots.page("errors" if spec.horizon == 1 else "mean error of all steps", 9, 4)
    days, counts = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    truth = _steps(scores, "target")
    errors = {
        "persistence": ((_steps(scores, "persistence") - truth).mean(axis=1), plots.OTHER),
        "forecast": ((_steps(scores, "prediction") - truth).mean(axis=1), plots.MODEL),
    }
    bins = np.histogram_bin_edges(np.concatenate([error for error, _ in errors.values()]), 25)
    for name, (error, colour) in errors.items():
        days.plot(error, color=colour, marker=".", linewidth=1, label=name)
        counts.hist(error, bins, orientation="horizontal", histtype="step", color=colour, linewidth=1.5)
    days.set(xlabel=_rows(spec), ylabel=f"predicted − true {spec.target}")
    days.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    counts.set(xlabel="test rows")
    return figure


def _by_step(scores: pd.DataFrame, spec: Spec) -> Figure:
    figure = plots.page("error of each step", 7, 3.8)
    axes, truth = figure.subplots(), _steps(scores, "target")
    lines = {"persistence": ("persistence", plots.OTHER, ":"), "prediction": ("forecast", plots.MODEL, "-")}
    if spec.season:
        lines["seasonal"] = ("one season before", plots.QUIET, "--")
    for name, (label, colour, style) in lines.items():
        error = _rmse(_steps(scores, name), truth)
        axes.plot(range(1, spec.horizon + 1), error, style, color=colour, marker=".", label=label)
    axes.set(xlabel="steps ahead", ylabel=f"RMSE of {spec.target}", ylim=(0, None))
    axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


def _rows(spec: Spec) -> str:
    return "test row, series by series" if spec.layout.key else "test row, in order of time"
