"""How much of a score is luck: train one experiment with several seeds on its one split.

    .venv/bin/python benchmarks/seeds.py boston_dnn 5

Needs the prepared data (`dvc repro prepare@boston_housing`). Prints every seed, then mean and standard
deviation (n - 1) of each metric on the test rows, and keeps them in docs/results/.
"""

import importlib
import json
import sys
import tempfile
from pathlib import Path

import pandas as pd

from evermodel.core import data, params
from evermodel.learners import training
from evermodel.runs import determinism, saved

RESULTS = Path("docs/results")


def main(name: str, count: int) -> None:
    values = params.load()
    rows = pd.DataFrame([score(name, values, seed) for seed in range(count)], index=range(count))
    summary = {
        "experiment": name,
        "profile": values.profile,
        "seeds": count,
        "mean": rows.mean().to_dict(),
        "sd": rows.std().to_dict(),
    }
    print(rows.to_string(), *(f"{m}: {rows[m].mean():.3f} ± {rows[m].std():.3f}" for m in rows), sep="\n")
    (RESULTS / f"{name}_seeds_{values.profile}.json").write_text(json.dumps(summary, indent=1) + "\n")


def score(name: str, values: params.Params, seed: int) -> dict[str, float]:
    """All metrics on the test rows of one training with that seed."""
    experiment = values.experiment(name)
    runtime = values.runtime.model_copy(update={"seed": seed})
    prepared = data.PREPARED / experiment.dataset
    spec = data.load_spec(prepared)
    splits = {split: data.load_split(prepared, split) for split in data.SPLITS}
    determinism.fix(runtime)
    with tempfile.TemporaryDirectory() as folder:
        model, state = Path(folder, "model"), Path(folder, "state")
        model.mkdir()
        training.train(experiment, runtime, spec, splits, model, state, f"seed {seed}", lambda figures: None)
        predicted = saved.load(model).predict(splits["test"].x)
    task = importlib.import_module(f"evermodel.tasks.{experiment.task}")
    return dict(task.metrics(task.score(splits["test"].y, predicted, spec), spec))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python benchmarks/seeds.py EXPERIMENT COUNT")
    main(sys.argv[1], int(sys.argv[2]))
