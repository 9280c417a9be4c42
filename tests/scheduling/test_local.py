"""What is checked, and what is set, before Airflow starts."""

import json
import socket

import psutil
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.scheduling import local
from tests.server import free_port


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("EVERMODEL_REPOSITORY", "EVERMODEL_REMOTE", "EVERMODEL_WORK", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_without_airflow_it_says_what_installs_it(here):
    with pytest.raises(EvermodelError, match="`make airflow` installs it"):
        local.run(8080, 5000, 1)


def test_a_port_that_is_taken_is_named(here):
    local.AIRFLOW.parent.mkdir(parents=True)
    local.AIRFLOW.touch()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EvermodelError, match=f"port {port} is taken"):
            local.run(port, 5000, 1)
    assert not local.HOME.exists()


def test_the_folder_of_keys_and_password_is_for_nobody_else(here):
    local.HOME.mkdir(mode=0o755)
    local.AIRFLOW.parent.mkdir(parents=True)
    local.AIRFLOW.write_text("#!/bin/sh\necho no database >&2; exit 1\n")
    local.AIRFLOW.chmod(0o755)
    with pytest.raises(EvermodelError, match=r"`airflow db migrate` failed: .*no database"):
        local.run(free_port(), free_port(), 1)
    assert local.HOME.stat().st_mode & 0o777 == 0o700


def test_what_airflow_wrote_down_of_where_it_was_does_not_count(here):
    kept = {name: value for name, value in local.variables(here, 1, 2, 3).items() if "FOLDER" in name}
    assert len(kept) == 3
    assert all(value.startswith(str(here)) for value in kept.values())


def test_everything_listens_on_this_machine_only(here):
    set_to = local.variables(here, 8080, 5000, 2)
    assert set_to["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert set_to["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5000"
    assert "127.0.0.1" in " ".join(local._commands(5000)["mlflow"])


def test_there_is_room_for_short_tasks_beside_all_trainings_and_one_for_the_gpu(here):
    slots = local.slots(3)
    assert (slots["cpu"], slots["gpu"]) == (3, 1)
    assert slots["default_pool"] > 1
    assert int(local.variables(here, 8080, 5000, 3)["AIRFLOW__CORE__PARALLELISM"]) == sum(slots.values())


def test_the_pools_are_there_before_anything_runs(here, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    local.HOME.mkdir()
    local.AIRFLOW.parent.mkdir(parents=True)
    local.AIRFLOW.write_text(
        '#!/bin/sh\ntest "$1" = db || { cat "$3" > imported; echo no pools >&2; exit 1; }\n'
    )
    local.AIRFLOW.chmod(0o755)
    with pytest.raises(EvermodelError, match=r"`airflow pools import` failed: .*no pools"):
        local.run(free_port(), free_port(), 2)
    pools = json.loads((here / "imported").read_text())
    assert {name: pool["slots"] for name, pool in pools.items()} == local.slots(2)


def test_what_the_user_has_set_stays(here, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.com")
    monkeypatch.setenv("EVERMODEL_REMOTE", "s3://bucket/cache")
    set_to = local.variables(here, 8080, 5000, 2)
    assert set_to["MLFLOW_TRACKING_URI"] == "https://mlflow.example.com"
    assert set_to["EVERMODEL_REMOTE"] == "s3://bucket/cache"
    assert "mlflow" not in local._commands(5000)


def test_stopping_ends_the_children_of_children_in_whatever_session(here):
    script = "setsid sleep 600 & setsid sh -c 'sleep 601 & sleep 602' & wait"
    process = psutil.Popen(["sh", "-c", script], start_new_session=True)
    while len(family := process.children(recursive=True)) < 4:
        assert process.is_running()
    local._stop([process])
    assert not local._family([process, *family])
