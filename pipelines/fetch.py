"""fetch NAME: the raw files of a data set, checked by hash, into data/raw/NAME."""

from evermodel import fetching, sources
from evermodel.core import data, params, stage


def main(name: str) -> None:
    """Write data/raw/<name>/ with the files of one edition and source.json, which says what they are."""
    values = params.load()
    source = values.dataset(name).source
    with data.whole_folder(data.RAW / name) as folder:
        fetching.fetch(source, sources.load(source), values.profile, folder)


if __name__ == "__main__":
    stage.run(main)
