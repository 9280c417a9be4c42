"""Following the aliases: what MLflow's registry calls champion is what answers."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from evermodel.core.errors import EvermodelError
from evermodel.publishing import tracking
from evermodel.publishing.aliases import CHALLENGER
from evermodel.publishing.registry import CHAMPION
from evermodel.serving import champion
from evermodel.serving.champion import Champion
from evermodel.serving.packages import Packages

Take = Callable[[str, Champion | None], None]
PATIENCE = 120.0  # seconds that a version may take until it has answered for its example
LONGEST = 300.0  # seconds between two tries of a version that did not
log = logging.getLogger("evermodel.serving")


@dataclass(frozen=True)
class Failure:
    """A version that did not answer, and until when, after a pause in seconds, it is not tried again."""

    number: int
    pause: float
    until: float


@dataclass(frozen=True)
class Loaded:
    """A version that answers, as MLflow knows it, and where its package lies."""

    version: Champion
    registered: ModelVersion
    package: Path


class RegistryWatcher:
    """Looks every few seconds who is champion or challenger, and hands over each new one that can answer.

    connect: gives a client of MLflow at each look. crown, challenge: take the new champion or challenger of
    an experiment, or None if there is none any more. packages: where those of champions are kept. problems:
    per experiment, why the version that the alias points at does not answer; under NAME@challenger for that
    alias, and "" for MLflow itself.
    """

    def __init__(
        self,
        connect: Callable[[], MlflowClient],
        tasks: Mapping[str, str],
        crown: Take,
        challenge: Take,
        packages: Packages,
        problems: dict[str, str],
        seconds: float,
    ) -> None:
        self.connect, self.tasks, self.seconds, self.packages = connect, tasks, seconds, packages
        self.crown, self.challenge, self.problems = crown, challenge, problems
        self._client: MlflowClient | None = None
        self._crowned: set[str] = set()
        self._forgotten: set[str] = set()  # by MLflow, which was emptied
        self._seen: dict[str, int] = {}
        self._failed: dict[str, Failure] = {}
        self._loading: dict[tuple[str, int], Future[Loaded]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="registry watcher", daemon=True)

    def begin(self) -> None:
        """Look for the first time; where no champion is to be had, the one that answered last goes on."""
        self._look_again()
        for name in self.tasks:
            if name not in self._crowned and (last := self.packages.last(name)):
                self._recall(name, *last)

    def look(self) -> None:
        """Hand over the champions and the challengers that are new since the last look.

        Whoever is champion no more goes, also without a successor. Where a new one can't answer, the one
        before goes on, and the new one is tried again after a pause that grows. All stays as it is where
        MLflow was emptied and knows nothing of an experiment. So it does where MLflow does not answer, which
        raises EvermodelError.
        """
        with tracking.answering():
            self._client = self.connect()  # each time: the store may have gone, or come back
            aliases = self._aliases(self._client)
        if self.problems.pop("", None):
            # What MLflow could not give may be there now.
            self._failed = {key: replace(failed, until=0.0) for key, failed in self._failed.items()}
        for name in self._forgotten & aliases.keys():
            self.problems.pop(name, None)
        self._forgotten = self._crowned - aliases.keys()
        for name in self._forgotten:
            self._note(name, f"MLflow knows nothing of it; `evermodel restore {name}` tells it")
        for name, named in aliases.items():
            if CHAMPION in named:
                self._take(name, CHAMPION, named[CHAMPION])
            else:
                self._withdraw(name)
        for name, named in aliases.items():
            self._look_for_challenger(name, named)

    def start(self) -> None:
        """Look again and again, beside whatever else is done."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join(self.seconds)  # no longer: it may wait for a version that hangs

    def _aliases(self, client: MlflowClient) -> dict[str, dict[str, int]]:
        # One question for all of them: experiments are many, and this one is asked all the time.
        models = client.search_registered_models(max_results=1000)
        aliases = {model.name: model.aliases for model in models}
        return {
            name: {alias: int(number) for alias, number in aliases[name].items()}
            for name in self.tasks
            if name in aliases
        }

    def _look_for_challenger(self, name: str, named: Mapping[str, int]) -> None:
        key, number = f"{name}@{CHALLENGER}", named.get(CHALLENGER)
        if number == named.get(CHAMPION):
            number = None
        if key in self._seen and self._seen[key] != number:  # it goes at once, also if no other can answer
            self.challenge(name, None)
            self.problems.pop(key, None)
            del self._seen[key]
        if number is not None:
            self._take(key, CHALLENGER, number)
        elif self._failed.pop(key, None):
            self.problems.pop(key, None)

    def _take(self, key: str, alias: str, number: int) -> None:
        """Hand over a version, unless it has been, or its next try is to come."""
        failed = self._failed.get(key)
        if failed and failed.number != number:  # the alias names another version now
            failed = None
            del self._failed[key]
            self.problems.pop(key, None)
        if self._seen.get(key) == number or (failed and time.monotonic() < failed.until):
            return
        name = key.partition("@")[0]
        try:
            loaded = self._loaded(name, number)
        except Exception as reason:  # whatever a model does when it is loaded, the server stays up
            self._note(key, f"version {number} is {alias} but does not answer: {reason}")
            pause = min(LONGEST, 2 * failed.pause if failed else self.seconds)
            self._failed[key] = Failure(number, pause, time.monotonic() + pause)
            return
        self._failed.pop(key, None)
        self._seen[key] = number
        self.problems.pop(key, None)
        if alias == CHAMPION:
            self._crown(name, loaded)
        else:
            self.challenge(name, loaded.version)
            shutil.rmtree(loaded.package, ignore_errors=True)
        log.info("%s is answered by version %d", key, number)

    def _crown(self, name: str, loaded: Loaded) -> None:
        self.crown(name, loaded.version)
        self._crowned.add(name)
        try:
            self.packages.keep(loaded.registered, loaded.package)
        except OSError as error:  # such as a full disk
            log.warning("%s: its package is not kept for a start without MLflow: %s", name, error)

    def _withdraw(self, name: str) -> None:
        self.packages.drop(name)
        self._seen.pop(name, None)
        if name in self._crowned:
            self.crown(name, None)
        if name in self._crowned or name in self.problems:
            self._note(name, "it is answered for no more: MLflow names no champion")
        self._crowned.discard(name)

    def _recall(self, name: str, version: ModelVersion, package: Path) -> None:
        try:
            self.crown(name, champion.opened(version, self.tasks[name], package))
        except Exception as reason:  # a package that is half there or changed is as good as none
            self._note(name, f"version {version.version}, which is kept, does not answer: {reason}")
            return
        self._crowned.add(name)
        why = self.problems.get(name, "MLflow tells of none now")
        self._note(name, f"version {version.version}, which was champion last, answers: {why}")

    def _loaded(self, name: str, number: int) -> Loaded:
        """A version that has answered for its example, by a thread of its own, as it may hang for ever.

        Raises EvermodelError while that takes longer than PATIENCE.
        """
        found, patience = self._loading.get((name, number)), 0.0
        if found is None:
            found, patience = Future(), PATIENCE
            self._loading[name, number] = found
            threading.Thread(target=self._load, args=(found, name, number), daemon=True).start()
        if not wait([found], patience).done:
            raise EvermodelError(f"it has not answered for its example within {PATIENCE:g} s")
        return self._loading.pop((name, number)).result()

    def _load(self, found: Future[Loaded], name: str, number: int) -> None:
        package: Path | None = None
        try:
            assert self._client
            version = self._client.get_model_version(name, str(number))
            package = self.packages.place(version)
            found.set_result(Loaded(champion.fetched(version, self.tasks[name], package), version, package))
        except Exception as reason:
            if package:
                shutil.rmtree(package, ignore_errors=True)
            found.set_exception(reason)

    def _follow(self) -> None:
        while not self._stop.wait(self.seconds):
            self._look_again()

    def _look_again(self) -> None:
        try:
            self.look()
        except EvermodelError as error:
            self._note("", str(error))
        except Exception as error:  # nothing may end this thread: the aliases would be followed no more
            self._note("", f"{type(error).__name__}: {error}")

    def _note(self, name: str, problem: str) -> None:
        if self.problems.get(name) != problem:
            log.warning("%s: %s", name or "MLflow", problem)
        self.problems[name] = problem
