"""fetch NAME: the raw files of a data set, checked by hash, into data/NAME/raw."""

from evermodel import fetching
from evermodel.core import data, folders, project, stage
from evermodel.datasets import dataset


def main(name: str) -> None:
    """Write data/<name>/raw/ with the files of one edition and source.json, which says what they are."""
    profile = project.load().profile
    source = dataset.load(name, profile).source
    with data.whole_folder(folders.raw(name)) as folder:
        fetching.fetch(name, source, profile, folder)


if __name__ == "__main__":
    stage.run(main)
