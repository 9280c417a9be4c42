"""prepare NAME: the one split of a data set and its spec, into data/prepared/NAME."""

import importlib

from evermodel import preparing, sources
from evermodel.core import data, params, stage
from evermodel.core.data import Prepared
from evermodel.core.params import Dataset
from evermodel.formats import raw_files


def main(name: str) -> None:
    """Read the raw data, split them, and write data/prepared/<name>/."""
    made = prepared(name, params.load().dataset(name))
    with data.whole_folder(data.PREPARED / name) as folder:
        data.save(folder, made.spec, made.splits, made.weights)
    print(f"{name}: {made.spec.rows} rows, {made.spec.duplicates} test rows also among the training rows")


def prepared(name: str, dataset: Dataset) -> Prepared:
    """The raw data of data/raw/<name>/, split as `dataset` says."""
    folder = data.RAW / name
    source = sources.provenance(folder)
    raw = importlib.import_module(f"evermodel.readers.{source.reader}").read(folder, **source.options)
    spec, splits = preparing.prepare(name, raw, dataset, source)
    weights = {base: raw_files.checked(folder, file) for base, file in source.weights.items()}
    return Prepared(spec, splits, weights)


if __name__ == "__main__":
    stage.run(main)
