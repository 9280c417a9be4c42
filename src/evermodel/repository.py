"""All files params.yaml of the repository: what commands look through before anything runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evermodel.core import catalog, folders, project, section
from evermodel.core.errors import EvermodelError
from evermodel.datasets import dataset
from evermodel.datasets.dataset import Dataset
from evermodel.core.project import Runtime
from evermodel.publishing import policy
from evermodel.publishing.policy import Promotion
from evermodel.runs import recipe
from evermodel.runs.recipe import Recipe
from evermodel.scheduling.schedule import Schedule, Worker
from evermodel.core.section import NAME, PROFILES, Profile, choose


class Experiment(Recipe):
    """All of experiments/NAME/params.yaml."""

    promotion: Promotion
    worker: Worker = "cpu"
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


def load() -> Repository:
    """Read and check everything, as both profiles would read it.

    Raises EvermodelError that names file and key, and the choices there are.
    """
    shared = project.load()
    for parent in (folders.DATASETS, folders.EXPERIMENTS):
        for name in folders.names(parent):
            _require_name(f"{parent}/{name}", name)
            _require_pipeline(f"{parent}/{name}")
    if taken := set(folders.names(folders.DATASETS)) & set(folders.names(folders.EXPERIMENTS)):
        name = min(taken)
        raise EvermodelError(f"experiments/{name} must get another name; data/{name} has this one")
    read = {profile: _read(profile, shared.runtime) for profile in PROFILES}
    return read[shared.profile]


def experiment(name: str, profile: str) -> Experiment:
    """Read and check one experiment; EvermodelError that names the wrong key."""
    file, values = recipe.where(name), recipe.read(name, profile)
    checked = section.checked(Experiment, values, file)
    recipe.require_sense(name, checked)
    policy.require_metric(file, checked.task, checked.promotion)
    return checked


def _read(profile: Profile, runtime: Runtime) -> Repository:
    datasets = {name: dataset.load(name, profile) for name in folders.names(folders.DATASETS)}
    for name, one in datasets.items():
        file = f"{folders.dataset(name) / section.FILE}"
        choose(f"{file}: source.reader", one.source.reader, catalog.modules("readers"))
    experiments = {name: experiment(name, profile) for name in folders.names(folders.EXPERIMENTS)}
    return Repository(profile, runtime, datasets, experiments)


def _require_name(folder: str, name: str) -> None:
    if not re.match(NAME, name):
        raise EvermodelError(
            f"{folder} must get another name: small letters, digits and '_', starting with a letter"
        )


def _require_pipeline(folder: str) -> None:
    template = "dataset" if folder.startswith(f"{folders.DATASETS}/") else "experiment"
    if not Path(folder, "dvc.yaml").exists():
        raise EvermodelError(
            f"{folder}/dvc.yaml is missing; `cp pipelines/{template}.yaml {folder}/dvc.yaml` makes it"
        )
