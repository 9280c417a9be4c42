"""Following the alias: what MLflow's registry calls champion is what answers."""

import logging
import threading
from collections.abc import Callable, Mapping

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from requests import RequestException
from sqlalchemy.exc import SQLAlchemyError

from evermodel.core.errors import EvermodelError
from evermodel.publishing import registry, tracking
from evermodel.serving import champion
from evermodel.serving.champion import Champion

AWAY = (MlflowException, RequestException, SQLAlchemyError)
log = logging.getLogger("evermodel.serving")


class Follower:
    """Looks every few seconds who is champion, and hands over each new one that can answer.

    problems: per experiment, why the version that the alias points at does not answer; "" for MLflow itself.
    """

    def __init__(
        self,
        client: MlflowClient,
        tasks: Mapping[str, str],
        hand_over: Callable[[Champion], None],
        seconds: float,
    ) -> None:
        self.client, self.tasks, self.hand_over, self.seconds = client, tasks, hand_over, seconds
        self.problems: dict[str, str] = {}
        self._seen: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follower", daemon=True)

    def look(self) -> None:
        """Hand over the champions that are new since the last look.

        A version that can't answer is not tried again; the one before goes on answering, as it does when
        the alias is taken away or MLflow is. Raises EvermodelError if MLflow does not answer.
        """
        with tracking.answering():
            for name, version in self._champions().items():
                if self._seen.get(name) != version:
                    self._take(name, version)
        self.problems.pop("", None)

    def start(self) -> None:
        """Look again and again, beside whatever else is done."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join()

    def _champions(self) -> dict[str, int]:
        # One question for all of them: experiments are many, and this one is asked all the time.
        models = self.client.search_registered_models(max_results=1000)
        aliases = {model.name: model.aliases.get(registry.CHAMPION) for model in models}
        return {name: int(aliases[name]) for name in self.tasks if aliases.get(name)}

    def _take(self, name: str, number: int) -> None:
        try:
            version = self.client.get_model_version(name, str(number))
            self.hand_over(champion.load(version, self.tasks[name]))
        except Exception as reason:  # whatever a model does when it is loaded, the server stays up
            self._note(name, f"version {number} is champion but does not answer: {reason}")
            if isinstance(reason, AWAY):  # it may be well at the next look
                return
        else:
            self.problems.pop(name, None)
            log.info("%s is answered by version %d", name, number)
        self._seen[name] = number

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
