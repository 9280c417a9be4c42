from types import SimpleNamespace

import pytest
from mlflow.exceptions import MlflowException

from evermodel.core.errors import EvermodelError
from evermodel.serving import champion
from evermodel.serving.registry_watcher import RegistryWatcher
from tests.mlflow.servers import wait_for


class Registry:
    """Stands for MLflow's client: aliases that a test sets, and whether it answers at all."""

    def __init__(self, **aliases: int) -> None:
        self.aliases, self.away, self.asked = aliases, False, 0
        self.challengers: dict[str, int] = {}

    def search_registered_models(self, max_results):
        self.asked += 1
        if self.away:
            raise MlflowException("away")
        named = {name: {"champion": str(version)} for name, version in self.aliases.items()}
        for name, version in self.challengers.items():
            named.setdefault(name, {})["challenger"] = str(version)
        return [SimpleNamespace(name=name, aliases=named.get(name, {})) for name in (*named, "another")]

    def get_model_version(self, name, version):
        return SimpleNamespace(name=name, version=int(version))


@pytest.fixture
def loads(monkeypatch):
    """What was loaded; versions above 9 are broken, and those in `loads.away` can't be had now."""
    made = SimpleNamespace(done=[], away=set())

    def load(version, task):
        made.done.append((version.name, version.version))
        if version.version in made.away:
            raise MlflowException("no such artifact")
        if version.version > 9:
            raise EvermodelError("it is broken")
        return SimpleNamespace(name=version.name, version=version.version, task=task)

    monkeypatch.setattr(champion, "load", load)
    return made


def follow(registry, seconds=60.0):
    """A watcher, and what it handed over: champions by name, challengers by NAME@challenger."""
    served = {}
    tasks = {"houses": "regression", "reviews": "binary"}

    def crown(one):
        served[one.name] = one.version

    def challenge(name, one):
        served.pop(f"{name}@challenger", None)
        if one is not None:
            served[f"{name}@challenger"] = one.version

    return RegistryWatcher(registry, tasks, crown, challenge, {}, seconds), served


def test_each_champion_is_loaded_once_and_others_never(loads):
    made, served = follow(Registry(houses=1, reviews=2, another=3))
    made.look()
    made.look()
    assert served == {"houses": 1, "reviews": 2}
    assert loads.done == [("houses", 1), ("reviews", 2)]


def test_a_moved_alias_is_followed_there_and_back(loads):
    registry = Registry(houses=1)
    made, served = follow(registry)
    for version in (1, 2, 1):
        registry.aliases["houses"] = version
        made.look()
        assert served == {"houses": version}


def test_a_version_that_can_not_answer_is_told_and_not_tried_again(loads):
    registry = Registry(houses=1, reviews=1)
    made, served = follow(registry)
    made.look()
    registry.aliases |= {"houses": 10, "reviews": 2}
    made.look()
    made.look()
    assert served == {"houses": 1, "reviews": 2}
    assert made.problems == {"houses": "version 10 is champion but does not answer: it is broken"}
    assert loads.done.count(("houses", 10)) == 1
    registry.aliases["houses"] = 1
    made.look()
    assert made.problems == {}


def test_a_version_that_can_not_be_had_now_is_tried_again(loads):
    loads.away = {1}
    made, served = follow(Registry(houses=1, reviews=2))
    made.look()
    assert served == {"reviews": 2}
    assert "no such artifact" in made.problems["houses"]
    loads.away = set()
    made.look()
    assert served == {"houses": 1, "reviews": 2}
    assert made.problems == {}


def test_an_alias_that_was_taken_away_changes_nothing(loads):
    registry = Registry(houses=1)
    made, served = follow(registry)
    made.look()
    registry.aliases.clear()
    made.look()
    assert served == {"houses": 1}


def test_a_challenger_is_followed_and_leaves_when_it_is_none_any_more(loads):
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


def test_a_champion_is_not_its_own_challenger(loads):
    registry = Registry(houses=1)
    registry.challengers = {"houses": 2}
    made, served = follow(registry)
    made.look()
    registry.aliases["houses"] = 2
    made.look()
    assert served == {"houses": 2}
    assert made.problems == {}


def test_a_challenger_that_can_not_answer_is_told_and_the_one_before_leaves(loads):
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


def test_it_goes_on_looking_when_mlflow_was_away(loads):
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
