"""A pipeline: the stages of one dvc.yaml, which follow each other for one data set or one experiment."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evermodel.core import folders
from evermodel.repository import Experiment


@dataclass(frozen=True)
class Pipeline:
    """The pipeline of one folder; that of an experiment waits for that of its data set.

    target: what DVC is to run, a dvc.yaml or one stage of it. options: how. metric is what the experiment is
    promoted by.
    """

    name: str
    target: str
    dataset: str | None = None
    metric: str = ""
    # Without that, DVC reads all pipelines, and locks the folders of the data set, which others read.
    options: tuple[str, ...] = ("--single-item",)


@dataclass(frozen=True)
class Progress:
    """What a pipeline's output has told so far: figures of the last epoch, and the reason if it failed."""

    stage: str = ""
    epoch: str = ""
    figures: str = ""
    said: str = ""
    reason: str = ""


def plan(experiments: Mapping[str, Experiment]) -> list[Pipeline]:
    """The pipelines of experiments, the first that uses a data set preceded by the pipeline of that."""
    planned: dict[Pipeline, None] = {}
    for name, experiment in experiments.items():
        dataset, metric = experiment.dataset, experiment.promotion.metric
        first = Pipeline(dataset, _target(folders.dataset(dataset)))
        then = Pipeline(name, _target(folders.experiment(name)), dataset, metric)
        planned |= dict.fromkeys([first, then])
    return list(planned)


def to_do(pipelines: Sequence[Pipeline], changed: Iterable[str]) -> list[Pipeline]:
    """The pipelines with a changed stage, or whose data set has one.

    changed: the stages, such as experiments/boston_dnn/dvc.yaml:train, that DVC would run.
    """
    files = {stage.partition(":")[0] for stage in changed}
    stale = {one.name for one in pipelines if one.target in files}
    return [one for one in pipelines if {one.name, one.dataset} & stale]


def handing_in(name: str) -> Pipeline:
    """The promotion of a model that `dvc exp run` made: DVC sees no reason to repeat it."""
    target = f"{_target(folders.experiment(name))}:promote"
    return Pipeline(name, target, options=("--single-item", "--force"))


def follow(progress: Progress, line: str) -> Progress:
    """The progress after one more line of what DVC and its stages print."""
    line = line.strip()
    if started := re.match(r"Running stage '\S+:(\w+)'", line):
        return Progress(stage=started[1], figures=progress.figures)
    if failed := re.match(r"ERROR: (?:failed to reproduce '\S+:(\w+)': )?(.+)", line):
        stage, answer = failed[1] or progress.stage, failed[2]
        return replace(progress, stage=stage, reason=progress.reason or _reason(progress.said, answer))
    if epoch := re.match(r"\w+ epoch (\d+/\d+) (.*)", line):
        return replace(progress, epoch=epoch[1], figures=epoch[2])
    if not line or line.startswith("Waiting to acquire lock"):  # a word of DVC's, after those of the stage
        return progress
    return replace(progress, said=line)


def _target(folder: Path) -> str:
    return f"{folder}/dvc.yaml"


def _reason(said: str, answer: str) -> str:
    """A stage that exits by itself has said why; of one that was killed, or never ran, only DVC knows."""
    exited = re.search(r", exited with (\d+)$", answer)
    silent = said.startswith("> ")  # DVC's echo of the command is all there is
    return said if exited and int(exited[1]) < 128 and not silent else answer
