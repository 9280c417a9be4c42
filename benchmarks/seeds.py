"""How much of a score is luck: train one experiment with several seeds on its one split.

    .venv/bin/python benchmarks/seeds.py boston_dnn 5

Of any task; where nothing is drawn, all come out the same. Needs the prepared data (`dvc repro
data/boston_housing/dvc.yaml`). Prints every seed, then mean and standard deviation (n - 1) of each metric on
the test rows, and keeps them in docs/results/.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from evermodel import number
from evermodel.core import catalog, data, folders, project
from evermodel.core.data import Array, Prepared
from evermodel.core.project import Runtime
from evermodel.evaluation import evaluation
from evermodel.runs import determinism, recipe, saved
from evermodel.runs.recipe import Recipe
from evermodel.training import training

RESULTS = Path("docs/results")
Predict = Callable[[Array], Array]


def main(name: str, count: int) -> None:
    shared = project.load()
    chosen = recipe.load(name, shared.profile)
    determinism.fix(shared.runtime)
    prepared = data.load(folders.prepared(chosen.dataset), catalog.target(chosen.task), *data.SPLITS)
    runtimes = [shared.runtime.model_copy(update={"seed": seed}) for seed in range(count)]
    models = (trained(chosen, runtime, prepared) for runtime in runtimes)
    rows = pd.DataFrame([score(chosen, shared.runtime, prepared, name, model) for model in models])
    told = (f"{metric}: {number.text(of.mean())} ± {number.text(of.std())}" for metric, of in rows.items())
    print(rows.to_string(float_format=number.text), *told, sep="\n")
    keep(rows, name, shared.profile, "seeds")


def trained(chosen: Recipe, runtime: Runtime, prepared: Prepared) -> Predict:
    """The experiment's model, trained on the training rows."""
    with tempfile.TemporaryDirectory() as folder:
        model, state = Path(folder, "model"), Path(folder, "state")
        model.mkdir()
        training.train(chosen, runtime, prepared, model, state, "benchmark", lambda figures: None)
        return saved.load(model).predict


def score(
    chosen: Recipe, runtime: Runtime, prepared: Prepared, who: str, predict: Predict
) -> dict[str, float]:
    """All metrics of what `predict` says of the test rows; who: whose errors it tells."""
    task, test = evaluation.task_module(chosen.task), prepared.splits["test"]
    shown = evaluation.inputs(task, test.x, chosen.options, runtime.seed)
    told, predicted = evaluation.told(task, chosen.options, prepared), evaluation.answer(task, predict, shown)
    return evaluation.evaluate(task, who, predicted, test, prepared.spec, told).metrics


def keep(rows: pd.DataFrame, name: str, profile: str, over: str) -> None:
    """Write mean and standard deviation of each column over `over`: "seeds" or "splits", one a row."""
    summary = {
        "experiment": name,
        "profile": profile,
        over: len(rows),
        "mean": rows.mean().to_dict(),
        "sd": rows.std().to_dict(),
    }
    (RESULTS / f"{name}_{over}_{profile}.json").write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python benchmarks/seeds.py EXPERIMENT COUNT")
    main(sys.argv[1], int(sys.argv[2]))
