"""The experiments of this repository, as Airflow's DAGs need to know them.

Read from the files params.yaml and dvc.yaml with PyYAML alone: a DAG file may import neither DVC nor anything
of ours. `evermodel step begin` checks what they say.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[1] / "experiments"
PROMOTE = "promote"  # the stage that is the publisher's


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Everything is text, as it stands there, or nothing: to YAML 1.1 a tag `on` is true, 007 is 7."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  # as PyYAML declares it


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile("(~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)


@dataclass(frozen=True)
class Schedule:
    """When an experiment retrains without being asked, and what holds for its tasks; timeout is in hours."""

    cron: str | None = None
    retries: int = 2
    timeout: float = 24
    owner: str = "evermodel"
    tags: tuple[str, ...] = ()
    description: str = ""

    @classmethod
    def from_texts(cls, texts):
        """What the section `schedule` says; the rest is left as it is."""
        kinds = {"retries": int, "timeout": float}
        given = {key: value for key, value in (texts or {}).items() if value is not None}
        return cls(**{key: kinds[key](value) if key in kinds else value for key, value in given.items()})


@dataclass(frozen=True)
class Worker:
    """What a machine has to have to train an experiment; gpu is a kind, memory a quantity of Kubernetes'."""

    gpus: int = 0
    gpu: str | None = None
    memory: str | None = None
    cpus: int | None = None

    @classmethod
    def from_texts(cls, said):
        """What `worker` says: a word, or some of all this."""
        if isinstance(said, str):
            return cls(gpus={"cpu": 0, "gpu": 1}[said])
        given = {key: value for key, value in said.items() if value is not None}
        return cls(**given | {key: int(given[key]) for key in ("gpus", "cpus") if key in given})

    @property
    def queue(self):
        """The queue, and the pool: all that a queue can promise is a GPU."""
        return "gpu" if self.gpus else "cpu"


@dataclass(frozen=True)
class Experiment:
    """What the folder of an experiment says, as far as DAGs are concerned."""

    dataset: str
    worker: Worker
    approval: str
    tags: tuple[str, ...]
    description: str
    schedule: Schedule
    machines: int = 1
    is_searched: bool = False


def experiments():
    """All experiments by their names; ValueError that names the file that lacks something."""
    return {file.parent.name: _experiment(file) for file in sorted(FOLDER.glob("*/params.yaml"))}


def stages(name):
    """The stages of an experiment but the promotion, in order."""
    return [stage for stage in _read(FOLDER / name / "dvc.yaml")["stages"] if stage != PROMOTE]


def _experiment(file):
    said = _read(file)
    try:
        dataset, task, model = said["dataset"], said["task"], said["model"]
        schedule = Schedule.from_texts(said.get("schedule"))
        return Experiment(
            dataset=dataset,
            worker=Worker.from_texts(said.get("worker", "cpu")),
            approval=said["promotion"].get("approval", "auto"),
            tags=(dataset, task, model, *schedule.tags),
            description=schedule.description or f"{model} for {task} on {dataset}",
            schedule=schedule,
            is_searched=any(_sides(said.get("search"))),
            machines=max(
                int(number or 1)
                for train in _sides(said.get("train"))
                for number in _sides((train or {}).get("machines"))
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{file} is not as README.md says: {error!r}") from None


def _sides(value):
    """A value, or both sides of `{full: …, sample: …}`, of which a form may choose either."""
    return value.values() if isinstance(value, dict) and value.keys() == {"full", "sample"} else [value]


def _read(file):
    return yaml.load(file.read_text(encoding="utf-8"), Loader=Loader)
