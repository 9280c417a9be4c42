"""prepare NAME: the one split of a data set and its spec, into data/NAME/prepared."""

from evermodel import preparing, reading
from evermodel.core import data, folders, project, stage
from evermodel.core.data import Prepared
from evermodel.datasets import dataset, source
from evermodel.datasets.dataset import Dataset
from evermodel.formats import raw_files


def main(name: str) -> None:
    """Read the raw data, split them, and write data/<name>/prepared/."""
    rules = dataset.load(name, project.load().profile)
    found = prepared(name, rules)
    with data.whole_folder(folders.prepared(name)) as folder:
        data.save(folder, found.spec, found.splits, found.weights)
    print(f"{name}: {found.spec.rows} rows")
    if found.spec.duplicates and rules.duplicates is None:
        print(
            f"warning: {found.spec.duplicates} test rows of data set {name} are also training rows; "
            f"remove them, or say with `duplicates` in data/{name}/params.yaml which share may be"
        )


def prepared(name: str, rules: Dataset) -> Prepared:
    """The raw data of data/<name>/raw/, split as the rules say."""
    folder = folders.raw(name)
    origin = source.provenance(folder)
    spec, splits = preparing.prepare(name, reading.read(name, rules.source), rules, origin)
    weights = {base: raw_files.checked(folder, file) for base, file in origin.weights.items()}
    return Prepared(spec, splits, weights)


if __name__ == "__main__":
    stage.run(main)
