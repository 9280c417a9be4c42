"""A server, a proxy before it, and a project to run against them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import browser, page  # noqa: F401  (fixtures)
from tests.mlflow.servers import Proxy, Server
from tests.project import Project, copy_repository


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The one server of all tests."""
    made = Server(tmp_path_factory.mktemp("server"))
    made.start()
    made.keep("nothing")
    yield made
    made.stop()


@pytest.fixture
def server(running: Server) -> Server:
    """The same with an empty store, whatever was done to it."""
    running.restore("nothing")
    return running


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """A proxy before it."""
    made = Proxy(server.uri)
    yield made
    made.shutdown()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the repository in which the houses are prepared and nothing is trained."""
    made = copy_repository(tmp_path_factory.mktemp("prepared") / "project")
    made.repro("data/boston_housing/dvc.yaml:prepare")
    return made


@pytest.fixture
def fresh(prepared: Project, tmp_path: Path) -> Project:
    """A project of the test's own, in the same state."""
    return prepared.copied(tmp_path)
