from typing import get_args

import pytest
from mlflow.tracking import MlflowClient

from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.publishing import aliases, ledger, registry

NAME = "it"


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A store with a registered model of three versions."""
    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    client = MlflowClient(f"sqlite:///{file}", f"sqlite:///{file}")
    client.create_registered_model(NAME)
    for _ in range(3):
        client.create_model_version(NAME, source="mlflow-artifacts:/it")
    return client


@pytest.fixture
def client(empty, workspace):
    """The same store, in which nothing was ever decided."""
    for alias in empty.get_registered_model(NAME).aliases:
        empty.delete_registered_model_alias(NAME, alias)
    if aliases.HEAD in empty.get_registered_model(NAME).tags:
        empty.delete_registered_model_tag(NAME, aliases.HEAD)
    for version in empty.search_model_versions(f"name='{NAME}'"):
        if registry.SHA256 in version.tags:
            empty.delete_model_version_tag(NAME, version.version, registry.SHA256)
    return empty


def named(client):
    return {name: int(version) for name, version in client.get_registered_model(NAME).aliases.items()}


def decide(client, action, version, after=None, trusted=True, **judged):
    with ledger.held(NAME) as book:
        aliases.reconcile(client, NAME, book)
        stays = book.champion if action not in ("promote", "rollback") else after or version
        return aliases.enact(client, NAME, book, action, version, stays, "because", trusted=trusted, **judged)


@pytest.fixture
def usable(monkeypatch):
    """The versions have no files; let each be the one that was judged, and answer."""
    monkeypatch.setattr(registry, "require_answer", lambda *_: None)


def entries():
    return ledger.read(folders.ledger(NAME))


def test_aliases_follow_what_was_decided(client):
    decide(client, "promote", 1)
    assert named(client) == {"champion": 1}
    decide(client, "keep", 2)
    assert named(client) == {"champion": 1, "challenger": 2}
    decide(client, "promote", 3)
    assert named(client) == {"champion": 3, "previous": 1}


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("action", get_args(ledger.Action))
def test_challenger_is_only_who_was_found_fit_for_visitors_and_lost_or_waits(client, action, trusted):
    decide(client, "promote", 1)
    decide(client, "keep", 3)
    assert named(client)["challenger"] == 3
    decide(client, action, 2, trusted=trusted)
    expected = {"keep": 2, "await": 2} if trusted else {}
    assert named(client).get("challenger") == expected.get(action)


def test_what_a_crash_cut_short_is_done_by_the_next(client, monkeypatch):
    decide(client, "promote", 1)
    with monkeypatch.context() as power:
        power.setattr(aliases, "_follow", lambda *_: None)  # it went after the line was written
        decide(client, "promote", 2)
    assert named(client)["champion"] == 1
    with pytest.raises(EvermodelError, match="a promotion was cut short"):
        aliases.require_same(client, NAME, entries())
    decide(client, "keep", 3)
    assert named(client) == {"champion": 2, "previous": 1, "challenger": 3}
    assert [line.action for line in entries()] == ["promote", "promote", "keep"]
    aliases.require_same(client, NAME, entries())


def test_a_version_that_somebody_deleted_gets_no_alias_and_holds_nothing_up(client):
    decide(client, "promote", 1)
    gone = client.create_model_version(NAME, source="mlflow-artifacts:/it").version
    decide(client, "promote", int(gone))
    client.delete_model_version(NAME, gone)
    decide(client, "promote", 3)
    assert named(client) == {"champion": 3}
    assert [(line.action, line.after) for line in entries()][2:] == [("found", None), ("promote", 3)]
    aliases.require_same(client, NAME, entries())


def test_a_champion_that_somebody_named_in_mlflow_is_written_down(client):
    decide(client, "promote", 1)
    client.set_registered_model_alias(NAME, "champion", "2")
    with pytest.raises(
        EvermodelError, match="by the ledger version 1 is champion, by MLflow version 2; whatever"
    ):
        aliases.require_same(client, NAME, entries())
    decide(client, "keep", 3)
    assert [(line.action, line.before, line.after) for line in entries()] == [
        ("promote", None, 1),
        ("found", 1, 2),
        ("keep", 2, 2),
    ]


def test_a_challenger_that_somebody_named_in_mlflow_is_told_and_gone_with_the_next_decision(client):
    decide(client, "promote", 1)
    client.set_registered_model_alias(NAME, "challenger", "2")
    with pytest.raises(EvermodelError, match="MLflow calls version 2 challenger, which no decision does"):
        aliases.require_same(client, NAME, entries())
    decide(client, "keep", 3, trusted=False)
    aliases.require_same(client, NAME, entries())


def test_a_registry_that_is_older_than_its_ledger_is_taken_over(client):
    client.set_registered_model_alias(NAME, "champion", "2")
    decide(client, "promote", 3)
    assert [line.action for line in entries()] == ["found", "promote"]
    assert named(client) == {"champion": 3, "previous": 2}


def test_another_ledger_is_refused(client, monkeypatch, tmp_path):
    decide(client, "promote", 1)
    monkeypatch.setenv(folders.LEDGER, str(tmp_path / "another"))
    with pytest.raises(EvermodelError, match=r"it\.jsonl is not the ledger"):
        decide(client, "promote", 2)
    assert named(client) == {"champion": 1}


def test_a_ledger_of_which_the_registry_knows_nothing_is_refused(client, tmp_path):
    decide(client, "promote", 1)
    another = f"sqlite:///{tmp_path}/another.db"
    with pytest.raises(EvermodelError, match=r"it\.jsonl tells of 1 decisions"):
        decide(MlflowClient(another, another), "promote", 1)
    with pytest.raises(EvermodelError, match="`evermodel restore it` fills it"):
        aliases.require_same(MlflowClient(another, another), NAME, entries())


def test_lines_that_were_cut_off_at_the_end_are_missed(client):
    decide(client, "promote", 1)
    decide(client, "promote", 2)
    file = folders.ledger(NAME)
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(EvermodelError, match="lines are missing"):
        aliases.require_same(client, NAME, entries())


def move(client, how, version=None):
    with ledger.held(NAME) as book:
        aliases.reconcile(client, NAME, book)
        return how(client, NAME, book, version)


def test_a_rollback_goes_to_the_champion_before_and_the_next_one_back_again(client, usable):
    decide(client, "promote", 1)
    decide(client, "promote", 3)
    decide(client, "keep", 2)
    assert move(client, aliases.rollback).after == 1
    assert named(client) == {"champion": 1, "previous": 3}
    assert move(client, aliases.rollback).after == 3
    assert move(client, aliases.rollback, 2).after == 2
    assert named(client)["champion"] == 2


def test_a_rollback_to_what_can_not_answer_changes_nothing(client, monkeypatch):
    def fail(*_):
        raise EvermodelError("it is broken")

    monkeypatch.setattr(registry, "require_answer", fail)
    decide(client, "promote", 1)
    decide(client, "promote", 2)
    with pytest.raises(EvermodelError, match="broken"):
        move(client, aliases.rollback)
    assert named(client)["champion"] == 2
    assert len(entries()) == 2


def test_a_rollback_looks_past_what_somebody_took_away(client, usable):
    decide(client, "promote", 1)
    client.delete_registered_model_alias(NAME, "champion")
    decide(client, "promote", 2)
    assert move(client, aliases.rollback).after == 1


@pytest.mark.parametrize("how", [aliases.rollback, aliases.approve])
def test_a_version_whose_file_is_another_than_the_one_that_was_judged_never_becomes_champion(
    client, usable, how
):
    client.set_model_version_tag(NAME, "2", registry.SHA256, "cafe")
    decide(client, "promote", 1)
    decide(client, "await", 2, sha256="cafe")
    client.set_model_version_tag(NAME, "2", "evermodel.sha256", "beef")
    with pytest.raises(EvermodelError, match="it version 2: its model file is not the one that was judged"):
        move(client, how, 2)
    assert named(client)["champion"] == 1
    client.set_model_version_tag(NAME, "2", registry.SHA256, "cafe")
    assert move(client, how, 2).after == 2


def test_what_is_withdrawn_leaves_no_champion_and_says_why(client, usable):
    client.set_model_version_tag(NAME, "2", registry.SHA256, "cafe")
    decide(client, "promote", 1)
    decide(client, "promote", 2, sha256="cafe", scores="5c0e")
    decide(client, "keep", 3)
    done = move(client, aliases.withdraw, "it insults visitors")
    assert (done.action, done.version, done.before, done.after) == ("withdraw", 2, 2, None)
    assert (done.reason, done.sha256, done.scores) == ("withdrawn; it insults visitors", "cafe", "5c0e")
    assert named(client) == {}
    decide(client, "report", 3)
    assert named(client) == {}, "previous would be what was withdrawn"
    aliases.require_same(client, NAME, entries())
    with pytest.raises(EvermodelError, match="it has no champion to withdraw; `evermodel history it`"):
        move(client, aliases.withdraw)
    assert move(client, aliases.rollback).after == 1, "not to what was withdrawn"
    with pytest.raises(EvermodelError, match="no champion before"):
        move(client, aliases.rollback)
    assert move(client, aliases.rollback, 2).after == 2, "unless somebody names it"


def test_after_a_withdrawal_the_next_winner_is_champion_and_the_version_itself_by_its_name(client, usable):
    decide(client, "promote", 1)
    assert move(client, aliases.withdraw).reason == "withdrawn"
    with pytest.raises(EvermodelError, match="no version of it waits"):
        move(client, aliases.approve)
    assert move(client, aliases.approve, 1).after == 1
    move(client, aliases.withdraw)
    decide(client, "promote", 2)
    assert named(client) == {"champion": 2}
    with pytest.raises(EvermodelError, match=r"version 1 of it was withdrawn, and version 2 is champion now"):
        move(client, aliases.approve, 1)


def test_a_rollback_without_a_champion_before_or_to_the_champion_is_refused(client):
    decide(client, "promote", 1)
    with pytest.raises(EvermodelError, match="no champion before"):
        move(client, aliases.rollback)
    with pytest.raises(EvermodelError, match="champion already"):
        move(client, aliases.rollback, 1)


def test_a_version_that_does_not_exist_is_refused(client):
    decide(client, "promote", 1)
    with pytest.raises(EvermodelError, match="has no version 9; it has 1, 2, 3"):
        move(client, aliases.rollback, 9)


def test_a_winner_that_waits_becomes_champion_by_somebodys_word(client, usable):
    decide(client, "promote", 1)
    decide(client, "await", 2)
    assert named(client) == {"champion": 1, "challenger": 2}
    done = move(client, aliases.approve)
    assert (done.action, done.before, done.after) == ("promote", 1, 2)
    assert done.reason == "approved; because"
    assert named(client) == {"champion": 2, "previous": 1}


def test_nobody_is_approved_who_does_not_wait_or_was_compared_with_another_champion(client):
    decide(client, "keep", 1)
    with pytest.raises(EvermodelError, match="no version of it waits"):
        move(client, aliases.approve)
    decide(client, "await", 2)
    decide(client, "promote", 3)
    with pytest.raises(EvermodelError, match="version 1 of it does not wait for approval"):
        move(client, aliases.approve, 1)
    with pytest.raises(EvermodelError, match=r"with no version, and version 3 is champion now; `dvc repro"):
        move(client, aliases.approve, 2)


def test_a_winner_that_is_rejected_waits_no_more_unless_it_is_named(client, usable):
    decide(client, "promote", 1)
    decide(client, "await", 2)
    rejected = move(client, aliases.reject)
    assert (rejected.action, rejected.before, rejected.after) == ("reject", 1, 1)
    assert rejected.reason == "rejected; because"
    assert named(client) == {"champion": 1}
    for answer in (aliases.approve, aliases.reject):
        with pytest.raises(EvermodelError, match="no version of it waits"):
            move(client, answer)
    assert move(client, aliases.approve, 2).after == 2


def test_a_winner_waits_until_it_is_answered_or_another_one_is_champion(client):
    def waits():
        found = aliases.waiting(ledger.read(folders.ledger(NAME)))
        return found.version if found else None

    assert waits() is None
    decide(client, "promote", 1)
    assert waits() is None
    decide(client, "await", 2)
    decide(client, "keep", 3)
    assert waits() == 2
    decide(client, "await", 3)
    assert waits() == 3
    move(client, aliases.reject, 3)
    assert waits() == 2
    decide(client, "promote", 4)
    assert waits() is None, "it was not compared with this champion"


def test_an_answer_in_airflow_names_the_person_and_the_run(client, usable, monkeypatch):
    monkeypatch.setenv("EVERMODEL_RUN", "approve.it/now")
    assert decide(client, "await", 1).who == "approve.it/now"
    monkeypatch.setenv("EVERMODEL_PERSON", "Ada")
    assert move(client, aliases.approve).who == "Ada in approve.it/now"
