import sqlite3
from contextlib import closing

import pytest
from mlflow.tracking import MlflowClient

from evermodel.publishing import tracking


def store(folder):
    """A client of the store in a folder. MLflow keeps its connections by the address, so that is absolute."""
    return tracking.opened(f"sqlite:///{folder / 'mlflow.db'}")


@pytest.fixture
def used(tmp_path, monkeypatch, empty_store):
    """A folder with a run, its artifact and a version of its model."""
    folder = tmp_path / "where it was"
    folder.mkdir()
    empty_store(folder)
    monkeypatch.chdir(folder)
    client = store(folder)
    tracking.experiment(client, "it", "note")
    run_id = client.create_run(client.get_experiment_by_name("it").experiment_id).info.run_id
    client.log_text(run_id, "told", "said.txt")
    client.create_registered_model("it")
    source = f"{(folder / tracking.ARTIFACTS / 'it').as_uri()}/models/m-1/artifacts"
    client.create_model_version("it", source, run_id)
    return folder


def told(client: MlflowClient):
    """The folder in which each artifact is to be found, and one of them."""
    (run,) = client.search_runs([client.get_experiment_by_name("it").experiment_id])
    (version,) = client.search_model_versions("name = 'it'")
    places = {
        client.get_experiment_by_name("it").artifact_location,
        run.info.artifact_uri,
        client.get_model_version_download_uri("it", version.version),
    }
    return places, client.list_artifacts(run.info.run_id)


@pytest.fixture(autouse=True)
def sqlite(monkeypatch):
    monkeypatch.setattr(tracking, "uri", lambda: "sqlite:///mlflow.db")


def test_a_folder_that_was_renamed_finds_its_files_and_writes_into_itself(used, tmp_path, monkeypatch):
    here = used.rename(tmp_path / "there & then_%")
    monkeypatch.chdir(here)
    places, files = told(store(here))
    assert {place.startswith(f"{here.as_uri()}/mlartifacts/it") for place in places} == {True}
    assert [file.path for file in files] == ["said.txt"]
    assert not used.exists()


def test_a_folder_inside_of_where_it_was_moves_once(used, tmp_path, monkeypatch):
    here = used / "deeper"
    here.mkdir()
    for name in ("mlflow.db", "mlartifacts"):
        (used / name).rename(here / name)
    monkeypatch.chdir(here)
    for _ in range(2):
        assert [file.path for file in told(store(here))[1]] == ["said.txt"]


def test_what_mlflow_puts_into_its_own_folder_comes_along(used, tmp_path, monkeypatch):
    store(used).create_experiment("own", f"{used}/mlruns/1")
    here = used.rename(tmp_path / "there")
    monkeypatch.chdir(here)
    assert store(here).get_experiment_by_name("own").artifact_location == f"{here}/mlruns/1"


def test_what_lies_elsewhere_stays_there(used, tmp_path, monkeypatch):
    client = store(used)
    checkout, notebook = (
        f"{tmp_path.as_uri()}/another checkout/mlartifacts/it",
        f"{tmp_path}/notebook/mlruns/7",
    )
    far = ["s3://bucket/mlartifacts/far", checkout, notebook, f"{used.as_uri()}er/mlartifacts/it"]
    for number, place in enumerate(far):
        client.create_experiment(f"far{number}", place)
    here = used.rename(tmp_path / "there")
    monkeypatch.chdir(here)
    moved = store(here)
    found = [moved.get_experiment_by_name(f"far{number}").artifact_location for number in range(len(far))]
    assert found == far


def test_a_store_from_before_it_kept_its_folder_knows_where_it_was_made(used, tmp_path, monkeypatch):
    with closing(sqlite3.connect(used / "mlflow.db")) as database, database:
        database.execute("DELETE FROM experiment_tags WHERE key = 'evermodel.folder'")
        database.execute(
            "UPDATE experiments SET artifact_location = ? WHERE name = 'Default'", [f"{used}/mlruns/0"]
        )
    here = used.rename(tmp_path / "there")
    monkeypatch.chdir(here)
    assert [file.path for file in told(store(here))[1]] == ["said.txt"]


def test_the_store_of_another_folder_is_left_alone(used, tmp_path, monkeypatch):
    here = used.rename(tmp_path / "there")
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    assert {place.startswith(used.as_uri()) for place in told(store(here))[0]} == {True}


def test_who_has_a_store_open_sees_the_one_that_takes_its_place(tmp_path, monkeypatch, empty_store):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{empty_store(tmp_path)}")
    monkeypatch.chdir(tmp_path)
    client = tracking.connect()
    client.create_registered_model("before")
    (tmp_path / "mlflow.db").unlink()
    empty_store(tmp_path)
    assert list(client.search_registered_models()) == []
