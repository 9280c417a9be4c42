"""Evaluation of examples that were made, by the features of a fixed classifier, for every kind of task.

Beside each test row stands the example that was made of a seed, the number of the row.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics as measures
from sklearn.decomposition import PCA

from evermodel.core import generation
from evermodel.core.data import Array, Predictions, Prepared, Spec, Split
from evermodel.evaluation import figures as plots
from evermodel.evaluation import frechet, judge, manifold, reconstruction
from evermodel.evaluation.judge import Judge
from evermodel.evaluation.predictions import check
from evermodel.evaluation.statistics import Statistic, clouds
from evermodel.runs import network

ADVICE = "an image on the scale 0 to 1; end the decoder in its channels and a sigmoid"
LINES, COLUMNS = 5, 10  # of examples that are shown


def told(prepared: Prepared) -> dict[str, Any]:
    """What `score` takes beside the test rows; EvermodelError if the data set has no judge."""
    return {"judge": judge.load(prepared)}


def answer(predict: Callable[[Any], Array], x: Array) -> Array:
    """What a model makes of seeds, one for each test row: (n, 1, height, width, channels).

    Of one that tells codes of images (n, 2, …): beside it stands the test row, drawn again by its code.
    """
    made = predict(generation.seeds(len(x)))
    try:
        again = predict(predict(x))
    except ValueError:  # it takes no images
        return made[:, None]
    return np.stack([made, again], axis=1)


def score(test: Split, prediction: Array, spec: Spec, *, judge: Judge) -> pd.DataFrame:
    """One row per example: real_0, real_1 … and made_0 …, the features of the test row and of what was made;
    precise (0 or 1: what was made lies among the test rows) and recalled (the test row lies among what was
    made; Kynkäänniemi et al. 2019); nearest and real_nearest, how far both are from the nearest training row
    by its features, and nearest_row, its number beside what was made; and mse of the test row drawn again,
    where the model does that.

    test.x: (n, height, width, channels) uint8; prediction: (n, 1 or 2, height, width, channels), 0 to 1, as
    `answer` gives. Raises EvermodelError if it is of another shape, not finite, or outside of 0 to 1.
    """
    for part in range(prediction.shape[1]):
        check(prediction[:, part], test.x.shape, ADVICE, (0, 1))
    real, made = judge.real, judge.features(reconstruction.eight_bit(prediction[:, 0]))
    near, row = manifold.nearest(made, judge.known)
    found: dict[str, Array] = {
        "precise": manifold.within(made, real).astype(np.int64),
        "recalled": manifold.within(real, made).astype(np.int64),
        "nearest": near,
        "nearest_row": row,
        "real_nearest": judge.real_nearest,
    }
    if prediction.shape[1] > 1:
        found["mse"] = reconstruction.squared_errors(test.x, prediction[:, 1])
    features = {"real": real, "made": made}
    tables = [pd.DataFrame(values).add_prefix(f"{name}_") for name, values in features.items()]
    return pd.concat([*tables, pd.DataFrame(found)], axis=1)


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """frechet; precision and recall; memorisation, how likely what was made is nearer to a training row than
    a test row is (1/2: no more than what is new; 1: copies; the statistic of Meehan et al. 2020); and mse,
    if test rows were drawn again.
    """
    values = {
        "frechet": frechet.distance(*clouds(scores)),
        "memorisation": measures.roc_auc_score(
            np.repeat([0, 1], len(scores)), np.concatenate([scores["nearest"], scores["real_nearest"]])
        ),
        "precision": scores["precise"].mean(),
        "recall": scores["recalled"].mean(),
    }
    return values | ({"mse": scores["mse"].mean()} if "mse" in scores else {})


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores."""
    return {"frechet": Statistic(kind="frechet")}


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """What was made furthest from any training row, furthest first; the index is the row."""
    named = {"nearest": "from a training row", "nearest_row": "row"}
    return scores.nlargest(count, "nearest")[list(named)].rename(columns=named)


def examples(predictions: Predictions) -> Array:
    """What `worst` is of: what the model made, uint8."""
    return reconstruction.eight_bit(predictions.model[:, 0])


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """samples, and beside those of the baseline; nearest, the training rows that are most like some of them;
    interpolation between noises; and of a model that tells codes reconstructions and latent, the codes of
    the test rows on a plane.
    """
    test, train, ask = predictions.test, predictions.train, predictions.ask
    drawn = {"samples": _samples(predictions)}
    if train is not None:
        drawn["nearest"] = nearest(scores, examples(predictions), train.x)
    if ask is not None:
        drawn["interpolation"] = _interpolation(ask)
    if "mse" in scores:
        columns = {"test row": test.x, "ours": predictions.model[:, 1]}
        if predictions.baseline.shape[1] > 1:
            columns["baseline"] = predictions.baseline[:, 1]
        drawn["reconstructions"] = reconstruction.rows(scores, columns)
        if ask is not None:
            labels = test.y if spec.classes and test.y.ndim == 1 else np.zeros(len(test), np.int64)
            drawn["latent"] = _latent(ask(test.x), labels, spec)
    return drawn


def _samples(predictions: Predictions) -> Figure:
    """Ours in the upper lines, the baseline's below, of the same seeds."""
    both = [reconstruction.eight_bit(each[:, 0]) for each in (predictions.model, predictions.baseline)]
    count = min(COLUMNS, len(both[0]))
    lines = min(LINES, len(both[0]) // count)
    shown = [list(made[line * count : (line + 1) * count]) for made in both for line in range(lines)]
    captions = [name if line == 0 else "" for name in ("ours", "baseline") for line in range(lines)]
    return plots.gallery("made of the first seeds", shown, [""] * count, captions)


def nearest(scores: pd.DataFrame, made: Array, x: Array) -> Figure:
    """Some of what was made, from the nearest to a training row to the furthest, each above that row."""
    picked = plots.spread(scores["nearest"].to_numpy(), COLUMNS)
    shown = [[made[row] for row in picked], [x[row] for row in scores["nearest_row"].iloc[picked]]]
    distances = [f"{distance:.2f}" for distance in scores["nearest"].iloc[picked]]
    return plots.gallery("how far from training rows", shown, distances, ["made", "nearest\ntraining row"])


def _interpolation(ask: Any) -> Figure:
    """From the noise of one seed to that of the next, a line for each pair.

    On the arc between the two: noise in between is then as large as noise is (Shoemake 1985; White 2016).
    """
    ends = network.noise(range(2 * LINES), ask.size).reshape(LINES, 2, 1, ask.size)
    angle = np.linspace(0, np.pi / 2, COLUMNS, dtype=np.float32)[:, None]
    between = np.cos(angle) * ends[:, 0] + np.sin(angle) * ends[:, 1]
    made = reconstruction.eight_bit(ask(between.reshape(-1, ask.size)))
    shown = [list(line) for line in made.reshape(LINES, COLUMNS, *made.shape[1:])]
    captions = [f"seed {2 * line} to {2 * line + 1}" for line in range(LINES)]
    return plots.gallery("from one noise to another", shown, [""] * COLUMNS, captions)


def _latent(codes: Array, labels: Array, spec: Spec) -> Figure:
    """Codes (n, k) on the plane of their two main directions; k may be 1."""
    beside = np.pad(codes, ((0, 0), (0, max(0, 2 - codes.shape[1]))))
    points = PCA(2, svd_solver="full").fit_transform(beside)
    return plots.plane("codes of the test rows (their two main directions)", points, labels, spec.classes)
