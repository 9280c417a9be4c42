import threading
from itertools import pairwise
from types import SimpleNamespace

import pytest
from mlflow.entities.model_registry import ModelVersion, ModelVersionTag
from mlflow.exceptions import MlflowException

from evermodel.core.errors import EvermodelError
from evermodel.serving import champion, registry_watcher
from evermodel.serving.packages import Packages
from evermodel.serving.registry_watcher import RegistryWatcher
from tests.mlflow.servers import wait_for


class Registry:
    """Stands for MLflow's client: aliases that a test sets, and whether it answers at all."""

    def __init__(self, **aliases: int) -> None:
        self.aliases, self.away, self.asked = aliases, False, 0
        self.challengers: dict[str, int] = {}
        self.known = {*aliases, "another"}

    def search_registered_models(self, max_results):
        self.asked += 1
        if self.away:
            raise MlflowException("away")
        named = {name: {"champion": str(version)} for name, version in self.aliases.items()}
        for name, version in self.challengers.items():
            named.setdefault(name, {})["challenger"] = str(version)
        return [SimpleNamespace(name=name, aliases=named.get(name, {})) for name in self.known]

    def get_model_version(self, name, version):
        sha256 = [ModelVersionTag("evermodel.sha256", f"{version}" * 64)]
        return ModelVersion(name, version, 0, "", run_id=f"run{version}", tags=sha256)


@pytest.fixture
def loads(monkeypatch):
    """What was loaded; versions above 9 are broken, those in `loads.away` can't be had now, and 8 hangs."""
    made = SimpleNamespace(done=[], away=set(), opened=[], go_on=threading.Event())

    def fetched(version, task, folder):
        number = int(version.version)
        made.done.append((version.name, number))
        if number in made.away:
            raise MlflowException("no such artifact")
        if number > 9:
            raise EvermodelError("it is broken")
        if number == 8:
            made.go_on.wait(60)
        (folder / "model").write_text(version.version)
        return SimpleNamespace(name=version.name, version=number, task=task)

    def opened(version, task, folder):
        made.opened.append((version.name, int(version.version), version.run_id))
        if (folder / "model").read_text() != version.version:
            raise EvermodelError("it is another file")
        return SimpleNamespace(name=version.name, version=int(version.version), task=task)

    monkeypatch.setattr(champion, "fetched", fetched)
    monkeypatch.setattr(champion, "opened", opened)
    yield made
    made.go_on.set()


def no_store():
    raise EvermodelError("mlflow.db is not there any more")


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when a test says so."""
    passed = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(registry_watcher.time, "monotonic", lambda: passed.seconds)
    return passed


@pytest.fixture
def follow(tmp_path):
    """A function that makes a watcher, and what it handed over: champions by name, challengers by NAME@…"""

    def made(registry, seconds=60.0):
        served = {}
        tasks = {"houses": "regression", "reviews": "binary"}

        def hand_over(key, one):
            served.pop(key, None)
            if one is not None:
                served[key] = one.version

        def challenge(name, one):
            hand_over(f"{name}@challenger", one)

        packages = Packages(tmp_path / "models")
        watcher = RegistryWatcher(lambda: registry, tasks, hand_over, challenge, packages, {}, seconds)
        return watcher, served

    return made


def test_each_champion_is_loaded_once_and_others_never(follow, loads):
    made, served = follow(Registry(houses=1, reviews=2, another=3))
    made.look()
    made.look()
    assert served == {"houses": 1, "reviews": 2}
    assert loads.done == [("houses", 1), ("reviews", 2)]


def test_a_moved_alias_is_followed_there_and_back(follow, loads):
    registry = Registry(houses=1)
    made, served = follow(registry)
    for version in (1, 2, 1):
        registry.aliases["houses"] = version
        made.look()
        assert served == {"houses": version}


def test_a_version_that_can_not_answer_is_told_and_tried_again_after_pauses_that_grow(follow, loads, clock):
    registry = Registry(houses=1, reviews=1)
    made, served = follow(registry)
    made.look()
    registry.aliases |= {"houses": 10, "reviews": 2}
    made.look()
    made.look()
    assert served == {"houses": 1, "reviews": 2}
    assert made.problems == {"houses": "version 10 is champion but does not answer: it is broken"}
    tries = []
    for clock.seconds in range(0, 4000, 20):
        made.look()
        tries.append(loads.done.count(("houses", 10)))
    times = [20 * step for step, (one, next_one) in enumerate(pairwise(tries), 1) if next_one > one]
    assert times == [60, 180, 420, 720, 1020, 1320, 1620, 1920, 2220, 2520, 2820, 3120, 3420, 3720]
    assert served == {"houses": 1, "reviews": 2}
    registry.aliases["houses"] = 1
    made.look()
    assert made.problems == {}


def test_a_version_that_can_not_be_had_now_is_tried_again(follow, loads, clock):
    loads.away = {1}
    made, served = follow(Registry(houses=1, reviews=2))
    made.look()
    assert served == {"reviews": 2}
    assert "no such artifact" in made.problems["houses"]
    loads.away = set()
    clock.seconds = 60
    made.look()
    assert served == {"houses": 1, "reviews": 2}
    assert made.problems == {}


def test_what_mlflow_could_not_give_is_asked_for_as_soon_as_it_is_back(follow, loads, clock):
    loads.away, registry = {1}, Registry(houses=1)
    made, served = follow(registry)
    made.begin()
    loads.away, registry.away = set(), True
    with pytest.raises(EvermodelError):
        made.look()
    made._look_again()
    registry.away = False
    made._look_again()
    assert (served, made.problems) == ({"houses": 1}, {})


def test_a_champion_that_was_withdrawn_answers_no_more_and_not_after_a_restart_either(follow, loads):
    registry = Registry(houses=1, reviews=2)
    made, served = follow(registry)
    made.begin()
    del registry.aliases["houses"]
    made.look()
    assert served == {"reviews": 2}
    assert made.problems == {"houses": "it is answered for no more: MLflow names no champion"}
    registry.away = True
    again, served = follow(registry)
    again.begin()
    assert served == {"reviews": 2}
    registry.aliases["houses"], registry.away = 1, False
    made.look()
    assert made.problems == {}


def test_what_an_emptied_mlflow_knows_nothing_of_goes_on_and_is_kept(follow, loads):
    registry = Registry(houses=1, reviews=2)
    made, served = follow(registry)
    made.begin()
    registry.known, registry.aliases = set(), {}
    made.look()
    assert served == {"houses": 1, "reviews": 2}
    assert made.problems["houses"] == "MLflow knows nothing of it; `evermodel restore houses` tells it"
    again, served = follow(registry)
    again.begin()
    assert served == {"houses": 1, "reviews": 2}
    registry.known, registry.aliases = {"houses", "reviews"}, {"houses": 1, "reviews": 2}
    for each in (made, again):
        each.look()
        assert each.problems == {}


def test_a_store_that_goes_while_it_is_followed_is_told_and_followed_again(follow, loads):
    registry = Registry(houses=1)
    made, served = follow(registry)
    made.begin()
    there, made.connect = made.connect, no_store
    with pytest.raises(EvermodelError, match="is not there any more"):
        made.look()
    made.connect, registry.aliases["houses"] = there, 2
    made.look()
    assert served == {"houses": 2}


def test_while_mlflow_is_away_those_that_answered_last_begin_and_the_registry_is_followed_later(
    follow, loads
):
    registry = Registry(houses=1, reviews=2)
    follow(registry)[0].begin()
    registry.aliases["houses"] = 3
    registry.away = True
    made, served = follow(registry)
    made.begin()
    assert served == {"houses": 1, "reviews": 2}
    assert loads.opened == [("houses", 1, "run1"), ("reviews", 2, "run2")]
    assert "away" in made.problems[""]
    assert made.problems["houses"] == "version 1, which was champion last, answers: MLflow tells of none now"
    registry.away = False
    made.look()
    assert served == {"houses": 3, "reviews": 2}
    assert made.problems == {}


def test_the_one_that_answered_last_begins_where_the_new_champion_can_not_be_had(follow, loads):
    registry = Registry(houses=1)
    follow(registry)[0].begin()
    registry.aliases["houses"] = 10
    made, served = follow(registry)
    made.begin()
    assert served == {"houses": 1}
    assert made.problems["houses"].startswith("version 1, which was champion last, answers: version 10 is")


def test_a_package_that_was_changed_does_not_answer(follow, loads, tmp_path):
    registry = Registry(houses=1)
    follow(registry)[0].begin()
    (file,) = tmp_path.glob("models/houses/1-*/model")
    file.write_text("another")
    registry.away = True
    made, served = follow(registry)
    made.begin()
    assert served == {}


def test_why_a_kept_package_does_not_answer_is_told_until_there_is_no_champion(follow, loads, tmp_path):
    registry = Registry(houses=1)
    follow(registry)[0].begin()
    next(tmp_path.rglob("model")).write_text("changed")
    registry.away = True
    made, served = follow(registry)
    made.begin()
    assert served == {}
    assert made.problems["houses"] == "version 1, which is kept, does not answer: it is another file"
    registry.away, registry.aliases = False, {}
    made.look()
    assert made.problems == {"houses": "it is answered for no more: MLflow names no champion"}


def test_only_the_package_of_the_last_champion_is_kept(follow, loads, tmp_path):
    registry = Registry(houses=1)
    made, _ = follow(registry)
    registry.challengers = {"houses": 2}
    for registry.aliases["houses"] in (1, 3, 10, 4):
        made.look()
    assert [file.read_text() for file in tmp_path.rglob("model")] == ["4"]
    assert len(list(tmp_path.glob("models/houses/*-*"))) == 1


def test_a_full_disk_keeps_no_champion_from_answering(follow, loads, monkeypatch):
    monkeypatch.setattr(Packages, "keep", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    made, served = follow(Registry(houses=1))
    made.look()
    assert (served, made.problems) == ({"houses": 1}, {})


def test_a_version_that_hangs_while_it_is_loaded_holds_up_no_other(follow, loads, monkeypatch):
    monkeypatch.setattr(registry_watcher, "PATIENCE", 0.05)
    registry = Registry(houses=8, reviews=2)
    made, served = follow(registry, 0.01)
    made.look()
    assert served == {"reviews": 2}
    assert "version 8 is champion but does not answer: it has not answered" in made.problems["houses"]
    loads.go_on.set()
    wait_for(lambda: made.look() or served.get("houses") == 8, "it has come to its end")
    assert loads.done.count(("houses", 8)) == 1


def test_a_challenger_is_followed_and_leaves_when_it_is_none_any_more(follow, loads):
    registry = Registry(houses=1)
    made, served = follow(registry)
    for version in (2, 3):
        registry.challengers = {"houses": version}
        made.look()
        made.look()
        assert served == {"houses": 1, "houses@challenger": version}
    registry.challengers = {}
    made.look()
    assert served == {"houses": 1}
    assert loads.done == [("houses", 1), ("houses", 2), ("houses", 3)]


def test_a_champion_is_not_its_own_challenger(follow, loads):
    registry = Registry(houses=1)
    registry.challengers = {"houses": 2}
    made, served = follow(registry)
    made.look()
    registry.aliases["houses"] = 2
    made.look()
    assert served == {"houses": 2}
    assert made.problems == {}


def test_a_challenger_that_can_not_answer_is_told_and_the_one_before_leaves(follow, loads):
    registry = Registry(houses=1)
    registry.challengers = {"houses": 2}
    made, served = follow(registry)
    made.look()
    registry.challengers = {"houses": 10}
    made.look()
    made.look()
    assert served == {"houses": 1}
    told = {"houses@challenger": "version 10 is challenger but does not answer: it is broken"}
    assert made.problems == told
    assert loads.done.count(("houses", 10)) == 1
    registry.challengers = {}
    made.look()
    assert made.problems == {}


def test_it_goes_on_looking_when_mlflow_was_away(follow, loads):
    registry = Registry(houses=1)
    made, served = follow(registry, 0.01)
    made.start()
    try:
        wait_for(lambda: served == {"houses": 1}, "the first look")
        registry.away = True
        wait_for(lambda: "away" in made.problems.get("", ""), "it is noticed")
        registry.aliases["houses"] = 2
        registry.away = False
        wait_for(lambda: served == {"houses": 2}, "it goes on")
        wait_for(lambda: made.problems == {}, "the problem is forgotten")
    finally:
        made.stop()
