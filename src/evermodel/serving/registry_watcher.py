"""Following the aliases: what MLflow's registry calls champion is what answers."""

import logging
import threading
from collections.abc import Callable, Mapping

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from requests import RequestException
from sqlalchemy.exc import SQLAlchemyError

from evermodel.core.errors import EvermodelError
from evermodel.publishing import tracking
from evermodel.publishing.aliases import CHALLENGER
from evermodel.publishing.registry import CHAMPION
from evermodel.serving import champion
from evermodel.serving.champion import Champion

AWAY = (MlflowException, RequestException, SQLAlchemyError)
log = logging.getLogger("evermodel.serving")


class RegistryWatcher:
    """Looks every few seconds who is champion or challenger, and hands over each new one that can answer.

    crown: takes a new champion; challenge: a new challenger of an experiment, or None if there is none.
    problems: per experiment, why the version that the alias points at does not answer; under
    NAME@challenger for that alias, and "" for MLflow itself.
    """

    def __init__(
        self,
        client: MlflowClient,
        tasks: Mapping[str, str],
        crown: Callable[[Champion], None],
        challenge: Callable[[str, Champion | None], None],
        problems: dict[str, str],
        seconds: float,
    ) -> None:
        self.client, self.tasks, self.seconds = client, tasks, seconds
        self.crown, self.challenge, self.problems = crown, challenge, problems
        self._seen: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="registry watcher", daemon=True)

    def look(self) -> None:
        """Hand over the champions and the challengers that are new since the last look.

        A version that can't answer is not tried again; the champion before goes on answering, as it does when
        the alias is taken away or MLflow is. Raises EvermodelError if MLflow does not answer.
        """
        with tracking.answering():
            aliases = self._aliases()
            for name, named in aliases.items():
                if CHAMPION in named:
                    self._take(name, CHAMPION, named[CHAMPION], self.crown)
            for name, named in aliases.items():
                self._look_for_challenger(name, named)
        self.problems.pop("", None)

    def start(self) -> None:
        """Look again and again, beside whatever else is done."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join()

    def _aliases(self) -> dict[str, dict[str, int]]:
        # One question for all of them: experiments are many, and this one is asked all the time.
        models = self.client.search_registered_models(max_results=1000)
        aliases = {model.name: model.aliases for model in models}
        return {
            name: {alias: int(number) for alias, number in aliases.get(name, {}).items()}
            for name in self.tasks
        }

    def _look_for_challenger(self, name: str, named: Mapping[str, int]) -> None:
        key, number = f"{name}@{CHALLENGER}", named.get(CHALLENGER)
        if number == named.get(CHAMPION):
            number = None
        if self._seen.get(key) == number:
            return
        # The one before goes at once, also if the new one can't answer.
        self.challenge(name, None)
        self._seen.pop(key, None)
        if number is None:
            self.problems.pop(key, None)
        else:
            self._take(key, CHALLENGER, number, lambda one: self.challenge(name, one))

    def _take(self, key: str, alias: str, number: int, take: Callable[[Champion], None]) -> None:
        if self._seen.get(key) == number:
            return
        name = key.partition("@")[0]
        try:
            take(champion.load(self.client.get_model_version(name, str(number)), self.tasks[name]))
        except Exception as reason:  # whatever a model does when it is loaded, the server stays up
            self._note(key, f"version {number} is {alias} but does not answer: {reason}")
            if isinstance(reason, AWAY):  # it may be well at the next look
                return
        else:
            self.problems.pop(key, None)
            log.info("%s is answered by version %d", key, number)
        self._seen[key] = number

    def _follow(self) -> None:
        while not self._stop.wait(self.seconds):
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
