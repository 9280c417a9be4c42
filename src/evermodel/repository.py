"""All files params.yaml of the repository: what commands look through before anything runs."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from evermodel import contradictions, reading
from evermodel.core import catalog, folders, params, project, section
from evermodel.core.errors import EvermodelError
from evermodel.core.params import PROFILES
from evermodel.core.project import Runtime
from evermodel.core.section import NAME, Profile, choose
from evermodel.datasets import dataset
from evermodel.datasets.dataset import Dataset
from evermodel.publishing import policy
from evermodel.publishing.policy import Promotion
from evermodel.runs import recipe
from evermodel.runs.recipe import Recipe
from evermodel.scheduling.schedule import TAKEN, Schedule
from evermodel.scheduling.worker import Worker
from evermodel.searching import space
from evermodel.searching.space import Search
from evermodel.training import fit

TEMPLATES = {  # of the files dvc.yaml in each folder
    folders.DATASETS: Path("pipelines/dataset.yaml"),
    folders.EXPERIMENTS: Path("pipelines/experiment.yaml"),
}
OF_DAGS = ("worker", "schedule")  # what Airflow reads before a run says of which profile it is


class Experiment(Recipe):
    """All of experiments/NAME/params.yaml."""

    name: str
    promotion: Promotion
    search: Search | None = None
    worker: Worker = Worker()
    schedule: Schedule = Schedule()


@dataclass(frozen=True)
class Repository:
    """What the repository holds, in one profile."""

    profile: Profile
    runtime: Runtime
    datasets: Mapping[str, Dataset]
    experiments: Mapping[str, Experiment]

    def experiment(self, name: str) -> Experiment:
        """The experiment of that name; EvermodelError that names those there are if there is none."""
        choose("experiment", name, self.experiments)
        return self.experiments[name]

    def chosen(self, names: Iterable[str] | None) -> dict[str, Experiment]:
        """The experiments of those names, or all; EvermodelError if one does not exist."""
        return {name: self.experiment(name) for name in names or self.experiments}


def load() -> Repository:
    """Read and check everything, as both profiles would read it.

    Raises EvermodelError that names file and key, and the choices there are.
    """
    shared = project.load()
    for folder in _folders().values():
        _require_pipeline(folder)
    found = {}
    for profile in PROFILES:
        datasets = {name: dataset.load(name, profile) for name in folders.names(folders.DATASETS)}
        experiments = {name: experiment(name, profile) for name in folders.names(folders.EXPERIMENTS)}
        for name, described in datasets.items():
            contradictions.require_none(str(folders.dataset(name) / params.FILE), described)
        for name, one in experiments.items():
            _require_fit(name, one, datasets[one.dataset])
        found[profile] = Repository(shared.profile, shared.runtime, datasets, experiments)
    return found[shared.profile]


def check(names: Collection[str]) -> list[str]:
    """Check the data sets and experiments of those names, or all; returns what is allowed, but may be a slip.

    Raises EvermodelError that names file and key, and the choices there are.
    """
    project.load()
    there = _folders()
    for name in names:
        choose("data set or experiment", name, there)
    chosen = [there[name] for name in names or there]
    for folder in chosen:
        _require_pipeline(folder)
        for profile in PROFILES:
            if folder.parent == folders.DATASETS:
                found = dataset.load(folder.name, profile)
                reading.require_options(folder.name, found.source)
                contradictions.require_none(str(folder / params.FILE), found)
                continue
            one = experiment(folder.name, profile)
            _require_fit(folder.name, one, dataset.load(one.dataset, profile))
    return [warning for parent in TEMPLATES for warning in _others(parent, chosen)]


def experiment(name: str, profile: str) -> Experiment:
    """Read and check one experiment; EvermodelError that names the wrong key."""
    file, values = recipe.where(name), params.of_folder(folders.experiment(name), profile)
    checked = section.checked(Experiment, values, file)
    said = params.read(Path(file))
    if differs := next((key for key in OF_DAGS if said.get(key) != values.get(key)), ""):
        raise EvermodelError(
            f"{file}: {differs} depends on the profile, but Airflow reads it before it knows which that is; "
            "write one value for both"
        )
    recipe.require_sense(name, checked)
    policy.require_sense(file, checked.task, checked.promotion)
    if checked.search:
        space.require_sense(name, checked.task, checked.search, values)
    return checked


def _require_fit(name: str, one: Experiment, of: Dataset) -> None:
    """Raise an EvermodelError unless an experiment goes with its data set."""
    fit.require_declared(recipe.where(name), one.task, of)
    fit.require_used(recipe.where(name), one.train, catalog.kind(of.source.reader))


def _folders() -> dict[str, Path]:
    """The folders of all data sets and experiments, by their names, which no two may share."""
    found: dict[str, Path] = {}
    for folder in (parent / name for parent in TEMPLATES for name in folders.names(parent)):
        if not re.match(NAME, folder.name):
            raise EvermodelError(
                f"{folder} must get another name: small letters, digits and '_', starting with a letter"
            )
        if folder.parent == folders.EXPERIMENTS and folder.name in TAKEN:
            raise EvermodelError(f"{folder} must get another name; a task of Airflow's has this one")
        if other := found.get(folder.name):
            raise EvermodelError(f"{folder} must get another name; {other} has this one")
        found[folder.name] = folder
    return found


def _require_pipeline(folder: Path) -> None:
    if not (folder / "dvc.yaml").exists():
        template = TEMPLATES[folder.parent]
        raise EvermodelError(f"{folder}/dvc.yaml is missing; `cp {template} {folder}/dvc.yaml` makes it")


def _others(parent: Path, chosen: Iterable[Path]) -> Iterator[str]:
    """A warning, if the dvc.yaml of some of the folders is no copy of their template."""
    template, mine = TEMPLATES[parent], [folder for folder in chosen if folder.parent == parent]
    text = template.read_bytes()
    if names := [folder.name for folder in mine if (folder / "dvc.yaml").read_bytes() != text]:
        yield (
            f"{template} and dvc.yaml in {len(names)} folder(s) of {parent} differ; unless that is meant, "
            f"`for name in {' '.join(names)}; do cp {template} {parent}/$name/dvc.yaml; done` mends it"
        )
