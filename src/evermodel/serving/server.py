"""`evermodel serve`: the champions of MLflow's registry over HTTP."""

import gc
import hashlib
import logging
import os
import signal
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cache, partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from mlflow.tracking import MlflowClient

from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.publishing import tracking
from evermodel.repository import Repository
from evermodel.serving import app, page
from evermodel.serving.challengers import Challengers
from evermodel.serving.champion import Champion
from evermodel.serving.limits import Limits
from evermodel.serving.packages import Packages
from evermodel.serving.protocol import Plane, Served
from evermodel.serving.registry_watcher import RegistryWatcher
from evermodel.serving.request_log import RequestLog

TOKEN = "EVERMODEL_TOKEN"
STATE = folders.STATE / "serving"
LOST = "mlflow.db is not there any more; `evermodel restore` makes it again from what is kept"
NO_CHAMPION = "no experiment has a champion that answers; `evermodel run NAME` trains one"


def run(names: Sequence[str], found: Repository, host: str, port: int, seconds: float, canary: float) -> None:
    """Serve the champions of these experiments, of all that have one if none, until Ctrl-C.

    seconds: between two looks at the registry; canary: the share of the requests that challengers answer.
    Raises EvermodelError if there is no champion that answers, or the address is not to be had.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    # Each champion is compiled anew, which TensorFlow takes for an oversight.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    tasks = {name: one.task for name, one in found.chosen(names).items()}
    limits, problems = Limits(), dict[str, str]()
    plane = Plane(names)

    def crown(name: str, champion: Champion | None) -> None:
        if champion is None:
            plane.model_registry.unload(name)
        else:
            plane.model_registry.update(Served(champion, limits))

    with _listening(host, port) as listening:
        request_log = RequestLog(STATE / "requests")
        challengers = Challengers(canary, limits, request_log, problems)
        packages = Packages(STATE / "models" / hashlib.sha256(tracking.uri().encode()).hexdigest()[:16])
        connect = partial(_connect, tasks)
        watcher = RegistryWatcher(connect, tasks, crown, challengers.take, packages, problems, seconds)
        watcher.begin()
        _require_champions(plane, names, problems)
        token = os.environ.get(TOKEN) or None
        made = app.create(plane, challengers, request_log, limits, token)
        with page.mounted(made, plane, limits, token):
            _leave_in_peace()
            print(f"{_url(host, listening)} answers for {', '.join(_served(plane))}", flush=True)
            _answer(made, watcher, listening)
    # Python would wait for its threads, and one in which a model hangs never ends.
    os._exit(0)


def _answer(made: FastAPI, watcher: RegistryWatcher, listening: socket.socket) -> None:
    # uvicorn ends what it has begun and then passes the signal on, by which this command is meant to end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as at_end, suppress(KeyboardInterrupt):
        watcher.start()
        at_end.callback(watcher.stop)
        uvicorn.Server(uvicorn.Config(made, log_level="warning", access_log=False)).run([listening])


def _leave_in_peace() -> None:
    """Let no garbage collection look at what is there now.

    With TensorFlow these are 600,000 objects: each full collection would keep all clients waiting for half a
    second. The price is that the champions of the start stay in memory when others have taken over.
    """
    gc.collect()
    gc.freeze()


def _connect(names: Iterable[str]) -> MlflowClient:
    # A default store that is not there is not made by looking.
    if tracking.uri() == tracking.STORE and not Path("mlflow.db").exists():
        lost = any(folders.ledger(name).exists() for name in names)
        raise EvermodelError(LOST if lost else NO_CHAMPION)
    return _client()


@cache
def _client() -> MlflowClient:
    return tracking.connect()


def _url(host: str, listening: socket.socket) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise EvermodelError(f"{host}:{port} can't be served at: {error}; choose another --port") from None


def _served(plane: Plane) -> list[str]:
    return sorted(model.name for model in plane.served)


def _require_champions(plane: Plane, names: Sequence[str], problems: Mapping[str, str]) -> None:
    served, away = _served(plane), problems.get("")
    for name in names:
        if name not in served:
            why = problems.get(name) or away or f"it has none; `evermodel run {name}` trains one"
            raise EvermodelError(f"{name} has no champion that answers: {why}")
    if not served:
        raise EvermodelError(away or NO_CHAMPION)
