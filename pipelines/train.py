"""train NAME: the model of one experiment, into models/NAME, told to MLflow as it goes."""

import shutil

from evermodel.core import data, params, stage
from evermodel.learners import display, training
from evermodel.runs import determinism, journal, saved


def main(name: str) -> None:
    """Train experiment `name`, or go on where a killed training stopped."""
    values = params.load()
    experiment = values.experiment(name)
    prepared = data.PREPARED / experiment.dataset
    determinism.fix(values.runtime)
    key = training.key(experiment, values.runtime, prepared)
    state = journal.FOLDER / "checkpoints" / key
    total = experiment.train.total_epochs if experiment.train else 1
    with journal.keep("train", name, key) as events, display.epochs(name, total) as show:

        def report(figures: dict[str, float]) -> None:
            events.epoch(figures)
            show(figures)

        with data.whole_folder(saved.MODELS / name) as folder:
            splits = data.load(prepared, "train", "validation")
            training.train(experiment, values.runtime, splits, folder, state, key, report)
    shutil.rmtree(state, ignore_errors=True)


if __name__ == "__main__":
    stage.run(main)
