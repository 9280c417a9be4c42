"""What is checked, and what is set, before Airflow starts."""

import json
import socket
import stat

import psutil
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.scheduling import local


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


def test_keys_and_password_are_made_once_and_are_for_nobody_else(here):
    known = local._secrets()
    assert local._secrets() == known
    for file in ("secrets.json", "passwords.json"):
        assert stat.S_IMODE((local.HOME / file).stat().st_mode) == 0o600
    assert json.loads((local.HOME / "passwords.json").read_text()) == {"admin": known["password"]}


def test_everything_listens_on_this_machine_only(here):
    known = {"fernet": "f", "jwt": "j", "key": "k", "password": "p"}
    set_to = local.variables(here, 8080, 5000, 2, known)
    assert set_to["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert set_to["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5000"
    assert "127.0.0.1" in " ".join(local._commands(5000)["mlflow"])
    assert "p" not in set_to.values(), "the password is in no process's environment"


def test_what_the_user_has_set_stays(here, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.com")
    monkeypatch.setenv("EVERMODEL_REMOTE", "s3://bucket/cache")
    set_to = local.variables(here, 8080, 5000, 2, {"fernet": "", "jwt": "", "key": "", "password": ""})
    assert set_to["MLFLOW_TRACKING_URI"] == "https://mlflow.example.com"
    assert set_to["EVERMODEL_REMOTE"] == "s3://bucket/cache"
    assert "mlflow" not in local._commands(5000)


def test_stopping_ends_the_children_of_children_in_whatever_session(here):
    script = "setsid sleep 600 & setsid sh -c 'sleep 601 & sleep 602' & wait"
    process = psutil.Popen(["sh", "-c", script], start_new_session=True)
    while len(family := process.children(recursive=True)) < 4:
        assert process.is_running()
    local._stop([process])
    assert not [one for one in [process, *family] if local._alive(one)]
