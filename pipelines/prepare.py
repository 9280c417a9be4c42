"""prepare NAME: the one split of a data set and its spec, into data/prepared/NAME."""

import importlib

from evermodel import preparing, sources
from evermodel.core import data, params, stage
from evermodel.formats import raw_files


def main(name: str) -> None:
    """Read the raw data, split them, and write data/prepared/<name>/."""
    dataset = params.load().dataset(name)
    raw_folder = data.RAW / name
    source = sources.provenance(raw_folder)
    raw = importlib.import_module(f"evermodel.readers.{source.reader}").read(raw_folder, **source.options)
    spec, splits = preparing.prepare(name, raw, dataset, source)
    weights = {base: raw_files.checked(raw_folder, file) for base, file in source.weights.items()}
    with data.whole_folder(data.PREPARED / name) as folder:
        data.save(folder, spec, splits, weights)
    print(f"{name}: {spec.rows} rows, {spec.duplicates} test rows also among the training rows")


if __name__ == "__main__":
    stage.run(main)
