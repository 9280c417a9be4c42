"""prepare NAME: the one split of a data set and its spec, into data/NAME/prepared."""

import math
from pathlib import Path

from evermodel import reading
from evermodel.core import data, folders, project, stage
from evermodel.core.data import Spec
from evermodel.datasets import dataset, source
from evermodel.datasets.dataset import Dataset
from evermodel.formats import raw_files
from evermodel.preparing import preparing


def main(name: str) -> None:
    """Read the raw data, split them, and write data/<name>/prepared/."""
    shared = project.load()
    rules = dataset.load(name, shared.profile)
    with data.whole_folder(folders.prepared(name)) as folder:
        spec = prepare(name, rules, folder, shared.parquet_above)
    print(f"{name}: {spec.rows} rows")
    if spec.duplicates and rules.duplicates is None:
        print(
            f"warning: {spec.duplicates} test rows of data set {name} are also training rows; "
            f"remove them, or say with `duplicates` in data/{name}/params.yaml which share may be"
        )


def prepare(name: str, rules: Dataset, to: Path, parquet_above: float = math.inf) -> Spec:
    """Write the raw data of data/<name>/raw/, split as the rules say, into a folder.

    parquet_above: the rows of a table, above which it is written in Parquet.
    """
    folder = folders.raw(name)
    origin = source.provenance(folder)
    spec = preparing.prepare(name, reading.read(name, rules.source), rules, origin, to, parquet_above)
    weights = {base: raw_files.checked(folder, file) for base, file in origin.weights.items()}
    data.save_spec(to, spec, weights)
    return spec


if __name__ == "__main__":
    stage.run(main)
