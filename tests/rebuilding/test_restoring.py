"""An emptied store is filled again: as it was, once, and whatever stops it on the way."""

import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param
from mlflow.tracking import MlflowClient
from sklearn.tree import DecisionTreeRegressor

from evermodel.core import data, folders
from evermodel.core.errors import EvermodelError
from evermodel.publishing import aliases, ledger, record, registry, tracking
from evermodel.rebuilding import restoring
from evermodel.runs import saved
from tests.specs import make_spec

NAME = "it"
SENTENCE = "it: 3 runs and 3 versions are back, champion is 2"


class Store:
    """A store of MLflow's in a folder. Each has an address of its own: MLflow keeps connections by it."""

    def __init__(self, monkeypatch, folder, empty_store):
        self.monkeypatch, self.folder, self.empty_store, self.count = monkeypatch, folder, empty_store, 0
        self.open()

    def open(self):
        place = self.folder / f"store{self.count}"
        if not place.exists():
            place.mkdir()
            self.empty_store(place)
        self.address = f"sqlite:///{place / 'mlflow.db'}"
        self.monkeypatch.setattr(tracking, "STORE", self.address)
        self.use(self.address)

    def empty(self):
        """What was in the database is lost."""
        self.count += 1
        self.open()

    def use(self, address):
        self.monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        self.client = tracking.connect()

    def restore(self):
        with ledger.held(NAME) as book:
            return restoring.restore(self.client, NAME, book, restoring.kept())


@pytest.fixture(scope="module")
def filled(tmp_path_factory, empty_store):
    """A folder with a store of three runs and versions of their models, of which the second is champion."""
    folder = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        made = Store(patch, folder, empty_store)
        for number, action in enumerate(("promote", "promote", "keep"), start=1):
            register(made.client, number, action)
    return folder


@pytest.fixture
def store(filled, workspace, monkeypatch, empty_store):
    """A copy of it, in which this process is."""
    shutil.copytree(filled, workspace, dirs_exist_ok=True)
    return Store(monkeypatch, workspace, empty_store)


def register(client, number, action):
    """A run, its model, and what was decided, as `promote` leaves them."""
    experiment = tracking.experiment(client, NAME, "houses (regression)")
    tags = {tracking.KEY: f"key{number}", tracking.COMMIT: "c" * 40, "mlflow.note.content": "made"}
    run = client.create_run(experiment, 1000 * number, tags, f"it-key{number}")
    points = [Metric("train/loss", 1 / step, 1000 * number + step, step) for step in (1, 2, 3)]
    client.log_batch(run.info.run_id, points, [Param("dataset", "houses"), Param("seed", str(number))])
    dataset = Dataset("houses", "digest", "local", "{}", profile="{}")
    client.log_inputs(run.info.run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])
    client.log_text(run.info.run_id, f"scores {number}", "evaluation/scores.txt")
    client.set_terminated(run.info.run_id, "FINISHED", 1000 * number + 500)
    file = saved.save_sklearn(DecisionTreeRegressor().fit(np.eye(2), [0.0, number]), made_folder(number))
    known = SimpleNamespace(file=file.name, sha256=data.file_hash(file), target="number")
    rows = pd.DataFrame(np.ones((2, 2)), columns=["a", "b"])
    registry.package(file.parent / "package", file, make_spec("table"), known, rows)
    put = lambda to: client.log_model_artifacts(to.model_id, str(file.parent / "package"))  # noqa: E731
    tags = {registry.SHA256: known.sha256, "evermodel.value": str(number)}
    version = registry.admit(client, NAME, run.info.run_id, tags, put)
    client.update_model_version(NAME, version.version, description=f"card {number}")
    with ledger.held(NAME) as book:
        aliases.reconcile(client, NAME, book)
        after = number if action == "promote" else book.champion
        aliases.enact(client, NAME, book, action, number, after, "so", sha256=known.sha256)
    record.write(client, run.info.run_id)


def made_folder(number):
    (folder := folders.STATE / f"made{number}").mkdir(parents=True)
    return folder


def state(client: MlflowClient):
    """All that MLflow knows, but for ids, places and times of registration."""
    experiment = client.get_experiment_by_name(NAME)
    found = client.search_runs([experiment.experiment_id])
    keys = {run.info.run_id: run.data.tags[tracking.KEY] for run in found}
    model = client.get_registered_model(NAME)
    versions = registry.versions(client, NAME)
    return {
        "experiment": experiment.tags,
        "runs": {run.data.tags[tracking.KEY]: told(client, run) for run in found},
        "model": (model.aliases, model.tags),
        "versions": {one.version: (one.tags, one.description, keys[one.run_id]) for one in versions},
    }


def told(client, run):
    info, run_id = run.info, run.info.run_id
    curves = {name: client.get_metric_history(run_id, name) for name in run.data.metrics}
    return {
        "info": (info.run_name, info.status, info.start_time, info.end_time),
        "params": run.data.params,
        "tags": run.data.tags,
        "curves": {n: [(p.step, p.timestamp, p.value) for p in points] for n, points in curves.items()},
        "data": [(one.dataset.to_dictionary(), one.tags[0].value) for one in run.inputs.dataset_inputs],
        "files": [file.path for file in client.list_artifacts(run_id, "evaluation")],
    }


def answer(client, number, folder):
    predict, _ = registry.load(registry.named(client, NAME, str(number)), folder)
    return predict(np.eye(2)).tolist()


def package(number):
    """The folder in which a version lies."""
    content = (folders.STATE / f"made{number}/model.skops").read_bytes()
    (file,) = [f for f in tracking.ARTIFACTS.glob("**/model.skops") if f.read_bytes() == content]
    return file.parent


def test_everything_comes_back_as_it_was_and_once(store, tmp_path):
    before, files = state(store.client), len(list(tracking.ARTIFACTS.rglob("*")))
    store.empty()
    assert store.restore() == SENTENCE
    assert state(store.client) == before
    assert len(list(tracking.ARTIFACTS.rglob("*"))) == files
    assert answer(store.client, 2, tmp_path / "two") == [0, 2]
    assert store.restore() == "it: MLflow follows the ledger; nothing to do"
    assert state(store.client) == before
    with ledger.held(NAME) as book:
        aliases.reconcile(store.client, NAME, book)
        assert len(book.entries) == 3
    store.empty()  # and a second time
    assert store.restore() == SENTENCE
    assert state(store.client) == before


@pytest.mark.parametrize("number", [1, 3])
def test_a_version_without_a_file_leaves_its_number_free(store, number):
    before = state(store.client)
    shutil.rmtree(package(number))
    store.empty()
    lost = f"nothing but the number is left of version {number}"
    assert store.restore() == f"it: 3 runs and 2 versions are back, champion is 2; {lost}"
    del before["versions"][number]
    assert state(store.client)["versions"] == before["versions"]
    register(store.client, 4, "keep")
    assert max(int(one.version) for one in registry.versions(store.client, NAME)) == 4


def test_a_version_that_somebody_registered_by_hand_is_not_the_ledgers(store):
    before = state(store.client)
    run_id = registry.named(store.client, NAME, "3").run_id
    store.client.create_model_version(NAME, "mlflow-artifacts:/by/hand", run_id)
    record.write(store.client, run_id)
    store.empty()
    assert store.restore() == SENTENCE
    assert state(store.client) == before


def test_a_champion_without_a_file_is_told_with_the_way_out(store):
    (package(2) / "model.skops").write_bytes(b"harmed")
    store.empty()
    told = store.restore()
    assert "champion is none; nothing but the number is left of version 2; version 2 was champion" in told
    assert told.endswith("and `evermodel rollback it --to VERSION` names another one")
    assert "champion" not in store.client.get_registered_model(NAME).aliases
    with ledger.held(NAME) as book:
        aliases.reconcile(store.client, NAME, book)
        assert aliases.rollback(store.client, NAME, book, 1).after == 1


@pytest.mark.parametrize("cut", ["set_terminated", "finalize_logged_model", "create_model_version"])
def test_what_was_cut_short_lets_nobody_decide_and_is_gone_on_with(store, cut, monkeypatch):
    before = state(store.client)
    store.empty()
    done, real = [], getattr(MlflowClient, cut)

    def fail(*arguments, **keywords):
        done.append(cut)
        if len(done) == 2:
            raise KeyboardInterrupt
        return real(*arguments, **keywords)

    with monkeypatch.context() as power:
        power.setattr(MlflowClient, cut, fail)
        with pytest.raises(KeyboardInterrupt):
            store.restore()
    advice = "`evermodel restore it` (goes on with it|fills it)"
    with ledger.held(NAME) as book, pytest.raises(EvermodelError, match=advice):
        aliases.reconcile(store.client, NAME, book)
    assert store.restore() == SENTENCE
    assert state(store.client) == before


def test_another_store_gets_a_copy(store, empty_store, tmp_path):
    before, first = state(store.client), store.address
    (tmp_path / "other").mkdir()
    empty_store(tmp_path / "other")
    store.use(f"sqlite:///{tmp_path / 'other/mlflow.db'}")
    assert store.restore() == SENTENCE
    assert state(store.client) == before
    assert answer(store.client, 2, tmp_path / "two") == [0, 2]
    store.use(first)
    assert state(store.client) == before
    assert answer(store.client, 2, tmp_path / "again") == [0, 2]


def test_a_store_that_followed_another_ledger_is_left_alone(store):
    before = state(store.client)
    file = folders.ledger(NAME)
    file.unlink()
    with ledger.held(NAME) as book:
        another = {"version": 1, "before": None, "after": None, "reason": "", "commit": ""}
        book.append(ledger.Entry(time="", who="", action="report", **another))
    with pytest.raises(EvermodelError, match="is not the ledger by which it was promoted last"):
        store.restore()
    assert state(store.client) == before


def test_numbers_that_are_taken_by_other_models_are_told(store):
    store.empty()
    registry.create_model(store.client, NAME)
    store.client.create_model_version(NAME, "mlflow-artifacts:/else", tags={registry.SHA256: "other"})
    with pytest.raises(EvermodelError, match="version 1 of it can't be had again in this MLflow"):
        store.restore()


def test_without_a_ledger_runs_come_back_and_nobody_is_champion(store):
    folders.ledger(NAME).unlink()
    store.empty()
    assert store.restore() == "it: 3 runs and 0 versions are back, champion is none"


def test_of_what_nothing_is_kept_is_told(workspace, monkeypatch, empty_store):
    empty = Store(monkeypatch, workspace, empty_store)
    assert empty.restore().startswith("it: nothing is kept, no decision in .evermodel/ledger/it.jsonl and no")
    assert empty.client.get_experiment_by_name(NAME) is None


def test_a_record_that_can_not_be_read_is_named(workspace):
    file = tracking.ARTIFACTS / "it/run/artifacts" / record.FILE
    file.parent.mkdir(parents=True)
    for content in ("", "{}", '{"run": {}, "experiment": [], "points": 1, "versions": []}', "[1]"):
        file.write_text(content)
        with pytest.raises(EvermodelError, match=r"run\.json is no record of a run"):
            restoring.kept()
