"""How much of a score is luck: train one experiment with several seeds on its one split.

    .venv/bin/python benchmarks/seeds.py boston_dnn 5

Of any task; where nothing is drawn, all come out the same. Needs the prepared data (`dvc repro
data/boston_housing/dvc.yaml`). Prints every seed, then mean and standard deviation (n - 1) of each metric on
the test rows, and keeps them in docs/results/. `evermodel cv` tells the same of other rows, on which one may
choose.
"""

import json
import sys
from pathlib import Path

import pandas as pd

from evermodel import number
from evermodel.core import catalog, data, folders, project
from evermodel.evaluation import evaluation
from evermodel.runs import determinism, recipe
from evermodel.searching import cross_validation

RESULTS = Path("docs/results")


def main(name: str, count: int) -> None:
    shared = project.load()
    chosen = recipe.load(name, shared.profile)
    determinism.fix(shared.runtime)
    prepared = data.load(folders.prepared(chosen.dataset), catalog.target(chosen.task), *data.SPLITS)
    runtimes = [shared.runtime.model_copy(update={"seed": seed}) for seed in range(count)]
    models = (cross_validation.trained(chosen, runtime, prepared).predict for runtime in runtimes)
    told = evaluation.told(evaluation.task_module(chosen.task), chosen.options, prepared)
    scored = (cross_validation.scored(chosen, shared.runtime, prepared, told, name, one) for one in models)
    rows = pd.DataFrame([one.metrics for one in scored])
    spread = (f"{metric}: {number.text(of.mean())} ± {number.text(of.std())}" for metric, of in rows.items())
    print(rows.to_string(float_format=number.text), *spread, sep="\n")
    keep(rows, name, shared.profile)


def keep(rows: pd.DataFrame, name: str, profile: str) -> None:
    """Write mean and standard deviation of each column, a row of which is of one seed."""
    summary = {
        "experiment": name,
        "profile": profile,
        "seeds": len(rows),
        "mean": rows.mean().to_dict(),
        "sd": rows.std().to_dict(),
    }
    (RESULTS / f"{name}_seeds_{profile}.json").write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python benchmarks/seeds.py EXPERIMENT COUNT")
    main(sys.argv[1], int(sys.argv[2]))
