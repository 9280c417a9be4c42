"""A lane: the stages of dvc.yaml that follow each other for one data set or one experiment."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evermodel.core.params import Params

DATA, MODEL = "${datasets}", "${experiments}"  # what dvc.yaml makes a stage for each of


@dataclass(frozen=True)
class Lane:
    """The stages of one name, in order; those of an experiment wait for those of its data set.

    metric is what the experiment is promoted by.
    """

    name: str
    stages: tuple[str, ...]
    data: str | None = None
    metric: str = ""


@dataclass(frozen=True)
class Progress:
    """What a lane's output has told so far: figures are those of the last epoch, reason is why it failed."""

    stage: str = ""
    epoch: str = ""
    figures: str = ""
    said: str = ""
    reason: str = ""


def plan(pipeline: Mapping[str, Any], values: Params, names: Iterable[str]) -> list[Lane]:
    """The lanes of experiments, the first that uses a data set preceded by the lane of that.

    pipeline: the stages of dvc.yaml. Raises EvermodelError if an experiment does not exist.
    """
    planned: dict[Lane, None] = {}
    for name in names:
        experiment = values.experiment(name)
        model = Lane(name, _made_for(MODEL, pipeline), experiment.dataset, experiment.promotion.metric)
        planned |= dict.fromkeys([Lane(experiment.dataset, _made_for(DATA, pipeline)), model])
    return list(planned)


def to_do(lanes: Sequence[Lane], changed: Collection[str]) -> list[Lane]:
    """The lanes with a changed stage, or whose data set has one.

    changed: the stages, such as train@boston_dnn, that DVC would run.
    """
    stale = {lane.name for lane in lanes if any(f"{stage}@{lane.name}" in changed for stage in lane.stages)}
    return [
        lane if lane.data in stale else replace(lane, data=None)
        for lane in lanes
        if {lane.name, lane.data} & stale
    ]


def bound_to_run(lanes: Iterable[Lane], status: Mapping[str, list[Any]]) -> set[str]:
    """The stages of these lanes that have to run in any case: an output is not what dvc.lock says.

    status: changes of stages, as `dvc status --json` tells them.
    """
    own = {f"{stage}@{lane.name}" for lane in lanes for stage in lane.stages}
    return {stage for stage in own if any("changed outs" in change for change in status.get(stage, []))}


def serial_order(pipeline: Mapping[str, Any], values: Params) -> list[str]:
    """All stages in the order in which one `dvc repro` over everything runs them."""
    names = {DATA: values.datasets, MODEL: values.experiments}
    return [
        f"{stage}@{name}" for stage, made in pipeline.items() for name in names.get(made.get("foreach"), ())
    ]


def follow(progress: Progress, line: str) -> Progress:
    """The progress after one more line of what DVC and its stages print."""
    line = line.strip()
    if started := re.match(r"Running stage '(\w+)@", line):
        return Progress(stage=started[1], figures=progress.figures)
    if failed := re.match(r"ERROR: (?:failed to reproduce '(\w+)@\w+': )?(.+)", line):
        stage, answer = failed[1] or progress.stage, failed[2]
        return replace(progress, stage=stage, reason=progress.reason or _reason(progress.said, answer))
    if epoch := re.match(r"\w+ epoch (\d+/\d+) (.*)", line):
        return replace(progress, epoch=epoch[1], figures=epoch[2])
    if not line or line.startswith("Waiting to acquire lock"):  # a word of DVC's, after those of the stage
        return progress
    return replace(progress, said=line)


def _made_for(group: str, pipeline: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(stage for stage, made in pipeline.items() if made.get("foreach") == group)


def _reason(said: str, answer: str) -> str:
    """A stage that exits by itself has said why; of one that was killed, or never ran, only DVC knows."""
    exited = re.search(r", exited with (\d+)$", answer)
    silent = said.startswith("> ")  # DVC's echo of the command is all there is
    return said if exited and int(exited[1]) < 128 and not silent else answer
