"""The real server, over a real registry whose aliases move while it answers."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from typer.testing import CliRunner

from evermodel.cli import app
from evermodel.publishing import aliases, ledger
from tests.mlflow import servers as mlflow
from tests.mlflow.servers import wait_for
from tests.project import Project, copy_repository
from tests.serving import registering
from tests.serving.servers import Server

pytestmark = [pytest.mark.all, pytest.mark.timeout(900)]

HOUSES, OTHER = "boston_dnn", "concrete_mlp"
# The server, in which one model never comes to its end once it serves.
HANGING = f"""
import threading
from dataclasses import replace
from functools import partial

from evermodel.cli import app
from evermodel.serving import server
from evermodel.serving.protocol import Served

def hanging(champion, limits):
    stuck = replace(champion, predict=lambda x: threading.Event().wait())
    return Served(stuck if champion.name == "{HOUSES}" else champion, limits)

server.Served, server.Limits = hanging, partial(server.Limits, seconds=2)
app()
"""
CLIENTS, MOVES = 8, 20
PAUSE = 0.05  # seconds between two requests of a client; the server has to find time for the next version


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with two versions of a network for houses."""
    made = copy_repository(tmp_path_factory.mktemp("served") / "project")
    with made.inside():
        registering.main(HOUSES, 2)
    return made


@pytest.fixture(scope="module")
def registry(registered: Project) -> MlflowClient:
    """The project's registry."""
    return MlflowClient(f"sqlite:///{registered.folder}/mlflow.db")


@pytest.fixture(scope="module")
def server(registered: Project) -> Iterator[Server]:
    running = Server(registered, "--canary", "0.5")
    yield running
    running.stop()


def house(project: Project, dataset: str = "boston_housing") -> dict[str, float]:
    spec = json.loads((project.folder / f"data/{dataset}/prepared/spec.json").read_text())
    return {column["name"]: 1.0 for column in spec["columns"]}


def ask(server: Server, row: dict[str, float], how: int) -> tuple[int, str, float]:
    """Status, version and price, by one form or the other."""
    if how % 2:
        status, answer = server.post(f"/predict/{HOUSES}", {"rows": [row]})
        return status, str(answer["version"]), answer["answers"][0]["price"]
    tensor = {"name": "x", "shape": [1, len(row)], "datatype": "FP64", "data": list(row.values())}
    status, answer = server.post(f"/v2/models/{HOUSES}/infer", {"inputs": [tensor]})
    return status, answer["model_version"], answer["outputs"][0]["data"][0]


def move(registry: MlflowClient, project: Project) -> str:
    """Make the version before champion again; returns its number."""
    with project.inside(), ledger.held(HOUSES) as book:
        return str(aliases.rollback(registry, HOUSES, book, None).after)


def test_no_request_fails_and_none_is_mixed_while_the_champion_changes(server, registered, registry):
    row, stop = house(registered), threading.Event()
    answers: list[tuple[int, str, float]] = []
    errors: list[Exception] = []
    waited: list[float] = []  # seconds from a move of the alias to an answer of the new version

    def load(how: int) -> None:
        while not stop.wait(PAUSE):
            try:
                answers.append(ask(server, row, how))
            except Exception as error:  # a thread's own traceback would be lost
                errors.append(error)

    clients = [threading.Thread(target=load, args=(number,)) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for _ in range(MOVES):
            version, began = move(registry, registered), time.monotonic()
            wait_for(lambda expected=version: answering(server) == expected, "the server has followed")
            waited.append(time.monotonic() - began)
    finally:
        stop.set()
        for client in clients:
            client.join()
    print(f"{len(answers)} answers; the new version after {max(waited):.1f} s at most")
    assert errors == []
    assert len(waited) == MOVES
    assert max(waited) < 60
    assert {status for status, _, _ in answers} == {200}
    prices = {version: {price for _, each, price in answers if each == version} for version in ("1", "2")}
    assert [len({round(price, 4) for price in each}) for each in prices.values()] == [1, 1]
    assert abs(min(prices["1"]) - min(prices["2"])) > 0.001


def test_a_challenger_answers_its_share_and_sees_the_rest_until_it_is_none(server, registered, registry):
    row, log = house(registered), registered.folder / f".evermodel/serving/requests/{HOUSES}.jsonl"
    _, champion, _ = ask(server, row, 1)
    challenger = "2" if champion == "1" else "1"
    answered: set[str] = set()

    def by_both() -> bool:
        answered.add(ask(server, row, 1)[1])
        return answered == {champion, challenger}

    registry.set_registered_model_alias(HOUSES, "challenger", challenger)
    wait_for(by_both, "the challenger answers, too")
    wait_for(lambda: by_both() and '"form": "shadow"' in log.read_text(), "it sees the rest")
    registry.set_registered_model_alias(HOUSES, "challenger", champion)
    wait_for(lambda: champions(server)["challengers"] == {}, "it is a challenger no more")
    assert {ask(server, row, 1)[1] for _ in range(20)} == {champion}


def test_a_champion_that_is_damaged_does_not_replace_the_one_that_answers(server, registered, registry):
    row = house(registered)
    _, version, price = ask(server, row, 1)
    damaged = "2" if version == "1" else "1"
    model = registry.get_model_version(HOUSES, damaged).source.removeprefix("models:/")
    file = next((registered.folder / "mlartifacts").rglob(f"{model}/**/model.keras"))
    good = file.read_bytes()
    file.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    try:
        registry.set_registered_model_alias(HOUSES, "champion", damaged)
        wait_for(lambda: HOUSES in problems(server), "the server has noticed")
        assert f"version {damaged}" in problems(server)[HOUSES]
        assert "not the one that was registered" in problems(server)[HOUSES]
        assert ask(server, row, 1) == (200, version, price)
    finally:
        file.write_bytes(good)
        registry.set_registered_model_alias(HOUSES, "champion", version)
    wait_for(lambda: HOUSES not in problems(server), "the server is well again")


def test_it_answers_while_mlflow_is_away(registered):
    registry = mlflow.Server(registered.folder, "mlflow.db")
    with ExitStack() as at_end:
        at_end.callback(registry.stop)
        registry.start()
        server = Server(registered, MLFLOW_TRACKING_URI=registry.uri)
        at_end.callback(server.stop)
        registry.stop()
        wait_for(lambda: "MLflow" in problems(server), "the server has noticed")
        assert server.post(f"/predict/{HOUSES}", {"rows": [house(registered)]})[0] == 200
        begun = Server(registered, MLFLOW_TRACKING_URI=registry.uri)
        at_end.callback(begun.stop)
        assert begun.post(f"/predict/{HOUSES}", {"rows": [house(registered)]})[0] == 200
        assert "MLflow tells of none now" in problems(begun)[HOUSES]
        registry.start()
        for each in (server, begun):
            wait_for(lambda each=each: problems(each) == {}, "the server follows again")


def test_a_champion_that_is_withdrawn_answers_no_more_until_there_is_another(server, registered, registry):
    version = answering(server)
    registry.delete_registered_model_alias(HOUSES, "champion")
    try:
        wait_for(lambda: HOUSES in problems(server), "the server has noticed")
        status, answer = server.post(f"/predict/{HOUSES}", {"rows": [house(registered)]})
        assert (status, answer["error"][:30]) == (404, "no champion answers for 'bosto")
    finally:
        registry.set_registered_model_alias(HOUSES, "champion", version)
    wait_for(lambda: problems(server) == {}, "it is champion again")
    assert server.post(f"/predict/{HOUSES}", {"rows": [house(registered)]})[0] == 200


def test_a_model_that_hangs_holds_up_nobody_else_nor_the_end_of_the_server(registered):
    (registered.folder / "hanging.py").write_text(HANGING)
    with registered.inside():
        registering.main(OTHER, 1)
    server = Server(registered, program=("python", "hanging.py"))
    try:
        row = house(registered)
        with ThreadPoolExecutor(8) as pool:
            hung = [pool.submit(server.post, f"/predict/{HOUSES}", {"rows": [row]}) for _ in range(8)]
            other = house(registered, "concrete")
            asked = [server.post(f"/predict/{OTHER}", {"rows": [other]})[0] for _ in range(50)]
        assert set(asked) == {200}
        assert {each.result()[0] for each in hung} == {503}
        said = champions(server)["champions"]
        assert {name: one["ready"] for name, one in said.items()} == {HOUSES: False, OTHER: True}
        assert "hangs" in server.post(f"/predict/{HOUSES}", {"rows": [row]})[1]["error"]
    finally:
        assert server.stop() == 0


def test_what_can_not_be_served_is_one_sentence(registered, tmp_path: Path):
    for arguments, sentence in (
        (["unet"], "unet has no champion that answers: it has none"),
        (["nowhere"], "nowhere"),
        (["--host", "192.0.2.1"], "choose another --port"),
    ):
        with registered.inside():
            refused = CliRunner().invoke(app, ["serve", "--port", "0", *arguments])
        assert refused.exit_code == 1
        (last,) = [line for line in refused.stderr.splitlines() if line.startswith("evermodel: ")]
        assert sentence in last
        assert "Traceback" not in refused.stderr


def problems(server: Server) -> dict[str, str]:
    return champions(server)["problems"]


def answering(server: Server) -> str:
    """The version of the champion that answers."""
    return str(champions(server)["champions"][HOUSES]["version"])


def champions(server: Server) -> dict:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)
    try:
        connection.request("GET", "/champions")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
