"""A registered version made anew from its commit, in a folder of its own that is gone afterwards."""

import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from evermodel import downloads, environment, fetching
from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.pipeline import Pipeline
from evermodel.publishing import outputs, registry, tracking
from evermodel.rebuilding import comparison
from evermodel.rebuilding.comparison import Comparison, Making
from evermodel.runs import journal, saved
from evermodel.scheduling import checkout
from evermodel.scoreboard import Scoreboard
from evermodel.workers import Crew

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.tracking import MlflowClient

SHORT = 12  # characters of a hash that are shown


@dataclass(frozen=True)
class Rebuild:
    """A version, and what came of making it again. metric: what it is promoted by."""

    name: str
    version: int
    commit: str
    metric: str
    recorded: Making
    rebuilt: Making
    comparison: Comparison

    @property
    def rows(self) -> list[dict[str, str]]:
        """What was registered beside what was rebuilt: the file, the metric, and what each stage wrote."""
        was, now, metric = self.recorded, self.rebuilt, self.metric
        low, high = (was.figures.get(f"{metric}_{bound}", math.nan) for bound in ("low", "high"))
        interval = f"{was.figures[metric]:.6g} [{low:.4g}, {high:.4g}]"
        pairs = {
            "model file": (was.sha256[:SHORT], now.sha256[:SHORT]),
            metric: (interval, f"{now.figures.get(metric, math.nan):.6g}"),
            **{
                stage: (digest[:SHORT], now.outputs.get(stage, "")[:SHORT])
                for stage, digest in was.outputs.items()
            },
        }
        return [{"": what, "registered": one, "rebuilt": other} for what, (one, other) in pairs.items()]

    @property
    def sentence(self) -> str:
        """The verdict, the stage that first wrote something else, and what may be why."""
        found = self.comparison
        where = f"; {found.stage} is the first stage that wrote something else" if found.stage else ""
        why = "".join(f"\n- {reason}" for reason in found.reasons)
        return f"{self.name} version {self.version}: {found.verdict}{where}{why}"


@tracking.answering()
def rebuild(name: str, word: str) -> Rebuild:
    """Fetch, validate, prepare, train and evaluate at the commit of a version, and compare.

    word: number or alias of the version. Nothing is written to the registry or to this folder. Raises
    EvermodelError if there is no such version, its commit can't be had, or a stage fails.
    """
    client = tracking.connect()
    version = registry.named(client, name, word)
    run = client.get_run(version.run_id)
    commit = _commit(version, run)
    recorded = _recorded(client, version, run)
    with TemporaryDirectory(prefix="evermodel-rebuild-") as folder:
        store = f"sqlite:///{folder}/mlflow.db"
        with _clone(commit, Path(folder) / "clone") as clone:
            dataset = run.data.params["dataset"]
            _forget(clone, folders.dataset(dataset), folders.experiment(name))
            # Before the stages' sidecars, which have no time to make its tables.
            told = tracking.opened(store)
            # What several machines made, as many processes of this one make again.
            team = {"EVERMODEL_PROCESSES": run.data.params.get("train.machines", "1")}
            _reproduce(name, clone, _environment(Path(folder), clone, store) | team)
            rebuilt = _rebuilt(told, name, dataset, clone)
            locks = environment.locks(clone)
        installed = environment.differences(locks, environment.installed())
    metric = version.tags["evermodel.metric"]
    compared = comparison.compare(metric, recorded, rebuilt, installed)
    return Rebuild(name, int(version.version), commit, metric, recorded, rebuilt, compared)


def _commit(version: "ModelVersion", run: "Run") -> str:
    """The commit that makes the version; EvermodelError if none does."""
    commit = str(run.data.tags.get(tracking.COMMIT, "unknown"))
    if tracking.is_whole(commit):
        return commit
    reason = "its commit was not recorded"
    if commit.endswith("-dirty"):
        reason = f"it was made with changes to {commit.removesuffix('-dirty')[:8]} that were not committed"
    raise EvermodelError(
        f"{version.name} version {version.version} can't be rebuilt: {reason}; commit what makes it; then "
        f"`dvc repro` and `dvc repro --force --single-item experiments/{version.name}/dvc.yaml:promote` "
        "record the commit"
    )


def _recorded(client: "MlflowClient", version: "ModelVersion", run: "Run") -> Making:
    report = f"{tracking.EVALUATION}/metrics.json"
    with TemporaryDirectory() as folder:
        try:
            file = client.download_artifacts(run.info.run_id, report, folder)
        except OSError:
            raise EvermodelError(
                f"{report} of {version.name} version {version.version} is not among its run's artifacts, "
                "and there is nothing else to compare with; restore MLflow's artifacts from a copy"
            ) from None
        figures = Path(file).read_text(encoding="utf-8")
    written = _tagged(run, outputs.TAG)
    return _making(version.tags[registry.SHA256], run, json.loads(figures), written)


def _rebuilt(client: "MlflowClient", name: str, dataset: str, clone: Path) -> Making:
    metadata = saved.metadata(clone / folders.model(name))
    if (run := tracking.find(client, name, metadata.key)) is None:
        log = (clone / journal.LOG).read_text(encoding="utf-8").splitlines()
        raise EvermodelError(f"{name} was trained anew, but its run was not logged: {' '.join(log[-1:])}")
    figures = json.loads((clone / folders.experiment(name) / "metrics.json").read_text(encoding="utf-8"))
    return _making(metadata.sha256, run, figures, outputs.hashes(name, dataset, clone))


def _making(sha256: str, run: "Run", figures: Mapping[str, float], written: Mapping[str, str]) -> Making:
    tags = run.data.tags
    return Making(
        sha256=sha256,
        key=tags[tracking.KEY],
        test_hash=tags[tracking.TEST_ROWS],
        figures=figures,
        params=run.data.params,
        machine=_tagged(run, tracking.MACHINE),
        environment=tags[tracking.ENVIRONMENT],
        outputs=written,
    )


def _tagged(run: "Run", prefix: str) -> dict[str, str]:
    tags = run.data.tags.items()
    return {name.removeprefix(prefix): value for name, value in tags if name.startswith(prefix)}


@contextmanager
def _clone(commit: str, folder: Path) -> Iterator[Path]:
    """A clone in which nothing ever ran, with a cache of its own, whatever the repository's settings say."""
    repository = os.environ.get(checkout.REPOSITORY, str(Path.cwd()))
    with ExitStack() as stack:
        try:
            stack.enter_context(checkout.cloned(repository, commit, folder))
        except EvermodelError as error:
            raise EvermodelError(
                f"the commit {commit[:12]} can't be had here: {error}; `git fetch` the branch that has it"
            ) from None
        (folder / ".dvc/config.local").write_text("[cache]\n    dir = cache\n", encoding="utf-8")
        if downloads.FOLDER.is_dir():  # by hash, so `fetch` may use them
            (folder / downloads.FOLDER.parent).mkdir()
            (folder / downloads.FOLDER).symlink_to(downloads.FOLDER.resolve())
        yield folder


def _forget(clone: Path, *wanted: Path) -> None:
    """Take nothing in these folders for done; EvermodelError if the commit does not have them."""
    for folder in wanted:
        if not (clone / folder / "dvc.yaml").exists():
            raise EvermodelError(
                f"the commit has no {folder}/dvc.yaml: it is older than this layout; check it out in a "
                "folder of its own and run `evermodel rebuild` there"
            )
        (clone / folder / "dvc.lock").unlink(missing_ok=True)


def _environment(folder: Path, clone: Path, store: str) -> dict[str, str]:
    """This process' environment without settings of DVC's and MLflow's that reach beyond the folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DVC_"))}
    if mirror := os.environ.get(fetching.MIRROR):
        kept[fetching.MIRROR] = str(Path(mirror).resolve())
    places = ("SITE_CACHE", "GLOBAL_CONFIG", "SYSTEM_CONFIG")
    return kept | {
        **{f"DVC_{place}_DIR": str(folder / place.lower()) for place in places},
        **tracking.SETTINGS,
        "MLFLOW_TRACKING_URI": store,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": str(clone / "src"),
    }


def _reproduce(name: str, clone: Path, variables: Mapping[str, str]) -> None:
    """Run the stages up to `evaluate`, and say where they are; EvermodelError if one fails."""
    evaluated = Pipeline(name, f"{folders.experiment(name)}/dvc.yaml:evaluate", options=())
    with chdir(clone):
        failures = Crew([evaluated], 1, variables, Scoreboard(stderr=True)).work()
    if failures:
        raise EvermodelError(f"in a fresh clone {failures[0]}")
