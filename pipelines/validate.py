"""validate NAME: the raw data of a data set against its expectations, into data/NAME/validation."""

from evermodel import reading, validation
from evermodel.core import data, folders, project, stage
from evermodel.datasets import dataset


def main(name: str) -> None:
    """Write data/<name>/validation/, show broken warnings, and stop at a broken critical expectation.

    The report is there in either case: it is where to look when the pipeline has stopped.
    """
    expected = dataset.load(name, project.load().profile)
    report = validation.validate(name, expected, reading.read(name, expected.source))
    with data.whole_folder(folders.validation(name)) as folder:
        validation.save(report, folder)
    for finding in report.broken("warning"):
        print(f"warning: data set {name}: {finding}")
    for file, reason in report.rejected:
        print(f"warning: data set {name}: {file} is left out: {reason}")
    validation.require(report)


if __name__ == "__main__":
    stage.run(main)
