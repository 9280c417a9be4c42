"""validate NAME: the raw data of a data set against its expectations, into reports/validation/NAME."""

import importlib

from evermodel import sources, validation
from evermodel.core import data, params, stage


def main(name: str) -> None:
    """Write reports/validation/<name>/, show broken warnings, and stop at a broken critical expectation.

    The report is there in either case: it is where to look when the lane has stopped.
    """
    dataset = params.load().dataset(name)
    origin = sources.provenance(data.RAW / name)
    reader = importlib.import_module(f"evermodel.readers.{origin.reader}")
    report = validation.validate(name, dataset, reader.read(data.RAW / name, **origin.options))
    with data.whole_folder(validation.REPORTS / name) as folder:
        validation.save(report, folder)
    for finding in report.broken("warning"):
        print(f"warning: data set {name}: {finding}")
    for file, reason in report.rejected:
        print(f"warning: data set {name}: {file} is left out: {reason}")
    validation.require(report)


if __name__ == "__main__":
    stage.run(main)
