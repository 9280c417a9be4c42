"""The graph of dvc.yaml as DVC itself resolves it, described in the few words that Airflow needs.

The description is committed, because a DAG file may import neither DVC nor anything of ours.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.tree import Tree

from evermodel.core.errors import EvermodelError
from evermodel.core.params import Params

FILE = Path("dags/graph.json")
TRAIN = "train"  # the kind of stage that goes to the worker of its experiment's label
DEFAULT = "default"  # the queue of all others
COMMON = ("begin", "choose", "publish", "end")  # tasks of the DAGs, beside the groups named after lanes


@dataclass(frozen=True)
class Stage:
    """A stage of dvc.yaml: `kind@lane`, the queue that takes it, and the stages that it waits for."""

    name: str
    kind: str
    lane: str
    queue: str
    after: tuple[str, ...]


def resolve(values: Params, folder: Path = Path()) -> list[Stage]:
    """The stages in the order of dvc.yaml; those before the ones that a stage waits for go without saying.

    Raises EvermodelError in DVC's own words where DVC refuses dvc.yaml.
    """
    import networkx
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(folder), uninitialized=True) as repo:
            names = [stage.name for stage in repo.index.stages]
            edges = [(stage.name, dependency.name) for stage, dependency in repo.index.graph.edges]
    except DvcException as error:
        raise EvermodelError(
            f"DVC refuses the pipeline: {' '.join(str(error).split())}; mend dvc.yaml"
        ) from None
    needed = networkx.transitive_reduction(networkx.DiGraph(edges))
    return [_stage(name, values, tuple(sorted(needed.successors(name), key=names.index))) for name in names]


def describe(stages: Sequence[Stage], values: Params) -> dict[str, Any]:
    """The description: what each experiment's DAG has to know, and the stages.

    Raises EvermodelError if a lane has the name of a task.
    """
    for taken in sorted({stage.lane for stage in stages}.intersection(COMMON)):
        raise EvermodelError(
            f"params.yaml: {taken} must get another name; a task of Airflow's DAGs has this one"
        )
    return {
        "experiments": {
            name: {
                "dataset": experiment.dataset,
                "approval": experiment.promotion.approval,
                "description": experiment.schedule.description
                or f"{experiment.model} for {experiment.task} on {experiment.dataset}",
                "tags": [experiment.dataset, experiment.task, experiment.model, *experiment.schedule.tags],
                **experiment.schedule.model_dump(
                    mode="json", include={"cron", "retries", "timeout", "owner"}
                ),
            }
            for name, experiment in values.experiments.items()
        },
        "stages": {
            stage.name: {key: value for key, value in asdict(stage).items() if key != "name"}
            for stage in stages
        },
    }


def text(description: Mapping[str, Mapping[str, Any]]) -> str:
    """The description as JSON with one line for each thing that it describes, for readable differences."""
    sections = (
        f" {json.dumps(title)}: {{\n"
        + ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items())
        + "\n }"
        for title, entries in description.items()
    )
    return "{\n" + ",\n".join(sections) + "\n}\n"


def written() -> str:
    """The description as it is committed; nothing if it was never written."""
    return FILE.read_text(encoding="utf-8") if FILE.exists() else ""


def lanes_of(stages: Sequence[Stage], values: Params, names: Collection[str]) -> list[Stage]:
    """The stages of some experiments and of their data sets."""
    kept = {lane for name in names for lane in (name, values.experiment(name).dataset)}
    return [stage for stage in stages if stage.lane in kept]


def tree(stages: Sequence[Stage], values: Params) -> Tree:
    """Data sets, their stages, and below them the experiments that use them."""
    root = Tree("dvc.yaml", guide_style="dim")
    branches: dict[str, Tree] = {}
    for lane in dict.fromkeys(stage.lane for stage in stages):
        experiment = values.experiments.get(lane)
        above = branches[experiment.dataset] if experiment else root
        chain = " → ".join(_shown(stage) for stage in stages if stage.lane == lane)
        branches[lane] = above.add(f"[bold]{lane}[/bold]  {chain}")
    return root


def mermaid(stages: Sequence[Stage]) -> str:
    """The stages as a Mermaid flowchart, one box per data set and experiment."""
    lines = ["flowchart LR"]
    for lane in dict.fromkeys(stage.lane for stage in stages):
        inside = [f'    {stage.name}["{_shown(stage)}"]' for stage in stages if stage.lane == lane]
        lines += [f"  subgraph {lane}", *inside, "  end"]
    lines += [f"  {before} --> {stage.name}" for stage in stages for before in stage.after]
    return "\n".join(lines).replace("@", "-")


def _stage(name: str, values: Params, after: tuple[str, ...]) -> Stage:
    kind, lane = name.split("@")
    queue = values.experiment(lane).worker if kind == TRAIN else DEFAULT
    return Stage(name, kind, lane, queue, after)


def _shown(stage: Stage) -> str:
    return f"{stage.kind} ({stage.queue})" if stage.kind == TRAIN else stage.kind
