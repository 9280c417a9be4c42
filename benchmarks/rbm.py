"""What a restricted Boltzmann machine of digits is good for: features, hidden pixels, more of a rare class.

    .venv/bin/python benchmarks/rbm.py data/mnist/prepared

Needs the prepared data (`dvc repro data/mnist/dvc.yaml`). All is chosen and fitted on at most ROWS training
rows; the test rows are looked at once, at the end. Keeps the numbers and two images in docs/results/.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, pairwise_distances, recall_score
from threadpoolctl import threadpool_limits

from evermodel.core import data
from evermodel.core.data import Array, Spec, Split
from evermodel.evaluation import figures, statistics
from evermodel.models import rbm

RESULTS = Path("docs/results")
ROWS = 10_000
COMPONENTS = (200, 500)
PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
RARE, RARE_ROWS = 8, 100  # the class that is made rare, and how many training rows of it are left
SAMPLES = 10  # of each row of the rare class
GIBBS_STEPS = 3
FILL_ROWS, FILL_CHAINS, FILL_STEPS = 2000, 20, 20  # chains that an image's hidden half is the mean of
RARE_PENALTY = 0.03
SHOWN = 10


def main(folder: Path) -> None:
    spec = data.load_spec(folder, "class")
    train, test = (binary(data.load_split(folder, name, "class")) for name in ("train", "test"))
    train = some(train, np.sort(np.random.default_rng(0).permutation(len(train))[:ROWS]))
    components, penalty = chosen_machine(train)
    learner = machine(components).fit(train.x)
    values = {
        "training_rows": len(train),
        "test_rows": len(test),
        "components": components,
        **features(learner, penalty, train, test),
        **filling(train, test, spec),
        **rare_class(train, test, spec),
    }
    for name, value in values.items():
        print(f"{name}: {value:.6g}")
    (RESULTS / f"{label(spec)}.json").write_text(json.dumps(values, indent=1) + "\n")


def binary(split: Split) -> Split:
    """Images as rows of bits, (n, height * width) float64."""
    return Split((split.x.reshape(len(split), -1) > rbm.HALF).astype(float), np.asarray(split.y))


def some(split: Split, rows: Array) -> Split:
    return Split(split.x[rows], split.y[rows])


def label(spec: Spec) -> str:
    return f"rbm_{spec.dataset}_{spec.edition}"


def machine(components: int) -> Any:
    """The machine of models/rbm.py, which takes bits."""
    return rbm.build((), "classification", components=components)["bernoullirbm"]


def classifier(x: Array, y: Array, penalty: float) -> LogisticRegression:
    return LogisticRegression(C=penalty, max_iter=1000, tol=1e-3).fit(x, y)


def chosen_machine(train: Split) -> tuple[int, float]:
    """The number of hidden units, and the penalty of a classifier of them, that do best on held-out rows."""
    held = len(train) // 5
    found = {}
    for components in COMPONENTS:
        learner = machine(components).fit(train.x[held:])
        seen = Split(learner.transform(train.x), train.y)
        penalty, accuracy = chosen_penalty(seen)
        print(f"{components} hidden units: {accuracy:.4f} of {held} held-out rows", flush=True)
        found[accuracy] = components, penalty
    return found[max(found)]


def chosen_penalty(train: Split) -> tuple[float, float]:
    """The penalty that does best on the first fifth of the rows when fitted on the others."""
    held = len(train) // 5
    scores = {
        classifier(train.x[held:], train.y[held:], c).score(train.x[:held], train.y[:held]): c
        for c in reversed(PENALTIES)
    }
    return scores[max(scores)], max(scores)


def features(learner: Any, penalty: float, train: Split, test: Split) -> dict[str, float]:
    """Accuracy on the test rows of the same classifier on the machine's features and on the raw bits."""
    raw = classifier(train.x, train.y, chosen_penalty(train)[0])
    deep = classifier(learner.transform(train.x), train.y, penalty)
    hits = deep.predict(learner.transform(test.x)) == test.y, raw.predict(test.x) == test.y
    low, high = gain(hits[0].astype(float) - hits[1])
    return {
        "raw_accuracy": raw.score(test.x, test.y),
        "features_accuracy": hits[0].mean(),
        "features_gain_low": low,
        "features_gain_high": high,
    }


def gain(differences: Array) -> statistics.Interval:
    """The interval of the mean of differences, one a row."""
    how = {"gain": statistics.mean("gain")}
    return statistics.intervals(how, pd.DataFrame({"gain": differences}), 0)["gain"]


def filling(train: Split, test: Split, spec: Spec) -> dict[str, float]:
    """Mean squared error over the hidden lower half of the first test images, of a machine and of the mean.

    The machine learns more slowly than that of the features: sharper ones stay in the first digit they see.
    """
    hidden = np.arange(test.x.shape[1]) >= test.x.shape[1] // 2
    learner = rbm.build((), "classification", components=500, learning_rate=0.01)["bernoullirbm"].fit(train.x)
    truth, mean = test.x[:FILL_ROWS], train.x.mean(axis=0)
    shown = np.where(hidden, mean, truth)
    filled = np.mean([fill(learner, truth, hidden, train.x, seed) for seed in range(FILL_CHAINS)], axis=0)
    rows = [[image(x, spec) for x in part[:SHOWN]] for part in (shown, filled, truth)]
    keep(f"{label(spec)}_filled", "lower half hidden", rows, ("mean", "machine", "truth"), spec)
    errors = [((x - truth)[:, hidden] ** 2).mean(axis=1) for x in (mean, filled)]
    low, high = gain(errors[0] - errors[1])
    return {
        "fill_rows": len(truth),
        "fill_mse_mean": float(errors[0].mean()),
        "fill_mse": float(errors[1].mean()),
        "fill_gain_low": low,
        "fill_gain_high": high,
    }


def fill(learner: Any, x: Array, hidden: Array, train: Array, seed: int) -> Array:
    """x with the hidden places as probabilities: the mean over the later half of a chain of Gibbs steps.

    The chain starts from the hidden half of any training image and never sees that of x.
    """
    random = np.random.RandomState(seed)
    state, total = np.where(hidden, train[random.randint(len(train), size=len(x))], x), np.zeros_like(x)
    for step in range(FILL_STEPS):
        units = random.uniform(size=(len(x), len(learner.components_))) < learner.transform(state)
        bright = expit(units @ learner.components_ + learner.intercept_visible_)
        state = np.where(hidden, random.uniform(size=x.shape) < bright, x).astype(float)
        total += bright if step >= FILL_STEPS // 2 else 0
    return np.where(hidden, total / (FILL_STEPS - FILL_STEPS // 2), x)


def rare_class(train: Split, test: Split, spec: Spec) -> dict[str, float]:
    """Recall of a class that has few training rows: as it is, with its rows repeated, with samples added.

    Also how far the samples lie from the nearest of the rows they were drawn from, in pixels.
    """
    rare = np.flatnonzero(train.y == RARE)
    few = train.x[rare[:RARE_ROWS]]
    rest = some(train, np.setdiff1d(np.arange(len(train)), rare[RARE_ROWS:]))
    samples = drawn(few)
    rows = [[image(x, spec) for x in part[:SHOWN]] for part in (few, samples, samples[-SHOWN:])]
    keep(
        f"{label(spec)}_rare",
        f"class {spec.classes[RARE]}",
        rows,
        ("training", "samples", "more samples"),
        spec,
    )
    more = {"": few[:0], "_repeated": np.tile(few, (SAMPLES, 1)), "_with_samples": samples}
    models = {name: with_more(rest, x) for name, x in more.items()}
    recall = {f"rare_recall{name}": recall_of(model, test) for name, model in models.items()}
    accuracy = {f"rare_balanced_accuracy{name}": balanced(model, test) for name, model in models.items()}
    pixels = pairwise_distances(samples, few, "cityblock").min(axis=1).mean()
    return {"rare_rows": len(few), "samples": len(samples), **recall, **accuracy, "sample_distance": pixels}


def drawn(few: Array) -> Array:
    """SAMPLES chains of Gibbs steps from each row, in a machine that has seen nothing else."""
    learner = rbm.build((), "classification", components=100, iterations=200)["bernoullirbm"].fit(few)
    x = np.tile(few, (SAMPLES, 1))
    for _ in range(GIBBS_STEPS):
        x = learner.gibbs(x)
    return x.astype(float)


def with_more(train: Split, more: Array) -> LogisticRegression:
    x, y = np.concatenate([train.x, more]), np.concatenate([train.y, np.full(len(more), RARE)])
    return classifier(x, y, RARE_PENALTY)


def recall_of(model: LogisticRegression, test: Split) -> float:
    return float(recall_score(test.y, model.predict(test.x), labels=[RARE], average="macro"))


def balanced(model: LogisticRegression, test: Split) -> float:
    return float(balanced_accuracy_score(test.y, model.predict(test.x)))


def image(x: Array, spec: Spec) -> Array:
    return np.rint(255 * x).astype(np.uint8).reshape(spec.input_shape)


def keep(name: str, title: str, rows: list[list[Array]], captions: Sequence[str], spec: Spec) -> None:
    with figures.look():
        figure = figures.gallery(title, rows, [""] * SHOWN, captions)
        (RESULTS / f"{name}.png").write_bytes(figures.png(figure, "rbm", spec))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python benchmarks/rbm.py FOLDER")
    with threadpool_limits(1):  # so that every machine adds in the same order
        main(Path(sys.argv[1]))
