"""Who is champion: the aliases of a registered model, moved by what the ledger says and never without it."""

import getpass
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.publishing import registry
from evermodel.publishing.ledger import GENESIS, Action, Entry, Ledger
from evermodel.runs import journal

PREVIOUS, CHALLENGER = "previous", "challenger"
HEAD = "evermodel.ledger"  # the tag that says up to which line the aliases follow the ledger
RESTORING = "restoring"  # its value while the versions come back
# What a person's word about a version repeats of the decision that it is about.
JUDGED = {"sha256", "scores", "test_hash", "policy", "numbers"}
REFUSALS = ("reject", "withdraw")
RUN, PERSON = "EVERMODEL_RUN", "EVERMODEL_PERSON"  # set by Airflow's tasks


def enact(
    client: MlflowClient,
    name: str,
    book: Ledger,
    action: Action,
    version: int,
    after: int | None,
    reason: str,
    **judged: Any,
) -> Entry:
    """Write a line, then move the aliases; what is cut short in between is made up for by `reconcile`.

    after: who is champion from now on; judged: what is known of the version, by the names of `Entry`.
    """
    written = book.append(
        Entry(
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            who=_who(),
            action=action,
            version=version,
            before=book.champion,
            after=after,
            reason=reason,
            commit=journal.commit(),
            **judged,
        )
    )
    _follow(client, name, book)
    return written


def reconcile(client: MlflowClient, name: str, book: Ledger) -> None:
    """Make ledger and aliases agree before anything is decided.

    Aliases that a crash left behind follow; a champion that somebody named in MLflow itself is written down.
    Raises EvermodelError if the registry has followed another ledger.
    """
    followed, named = _stand(client, name, book.entries)
    found = named.get(registry.CHAMPION)
    if followed == RESTORING:
        raise EvermodelError(f"{name} is not restored as a whole; `evermodel restore {name}` goes on with it")
    if followed != book.head:
        if followed not in {GENESIS, *(line.hash for line in book.entries)}:
            raise EvermodelError(
                f"{book.file} is not the ledger by which {name} was promoted last; let EVERMODEL_LEDGER "
                "name the folder of that one, or restore it from a copy"
            )
        _follow(client, name, book)
    elif found != book.champion:
        version = found or book.champion
        assert version is not None
        reason = f"made version {found} champion in MLflow" if found else "took the alias away"
        enact(client, name, book, "found", version, found, f"somebody {reason}")


def require_same(client: MlflowClient, name: str, lines: Sequence[Entry]) -> None:
    """Raise an EvermodelError unless the registry stands where the last line says, and names nobody else."""
    followed, named = _stand(client, name, lines)
    if followed != (lines[-1].hash if lines else GENESIS):
        raise EvermodelError(
            f"the registry followed the ledger of {name} to the line {followed[:8]}, which is not its last "
            "one: lines are missing, or a promotion was cut short (`evermodel run` completes it)"
        )
    meant = _meant(lines) if lines else {}
    champion, after = named.get(registry.CHAMPION), meant.get(registry.CHAMPION)
    if champion != after:
        raise EvermodelError(
            f"{name}: by the ledger {_told(after)} is champion, by MLflow {_told(champion)}; whatever is "
            f"decided next writes that down, or `evermodel rollback {name} --to VERSION` names another"
        )
    if (challenger := named.get(CHALLENGER)) not in (None, meant.get(CHALLENGER)):
        raise EvermodelError(
            f"{name}: MLflow calls version {challenger} challenger, which no decision does; delete the alias "
            "there, or else the next decision does"
        )


def waiting(lines: Sequence[Entry]) -> Entry | None:
    """The newest winner that waits for somebody's word, and was compared with the champion of now."""
    words = {line.version: line for line in lines if line.action in ("await", "promote", *REFUSALS)}
    asked = [line for line in words.values() if line.action == "await" and line.after == lines[-1].after]
    return max(asked, key=lambda line: line.number, default=None)


def approve(client: MlflowClient, name: str, book: Ledger, version: int | None) -> Entry:
    """Make a version champion that was found worthy and waits for somebody's word; the newest if None.

    One that was rejected or withdrawn can still be named. Raises EvermodelError if none waits, another one
    has become champion since, or it is not the file that was judged or can't answer.
    """
    refused = {line.version: line.number for line in book.entries if line.action in REFUSALS}
    asks = ("await", "withdraw") if version else ("await",)
    asked = [line for line in book.entries if line.action in asks and version in (None, line.version)]
    asked = [line for line in asked if version or line.number > refused.get(line.version, 0)]
    if not asked:
        raise _nothing_waits(name, version)
    chosen = asked[-1]
    if book.champion == chosen.version:
        raise EvermodelError(f"version {chosen.version} of {name} is champion already")
    if chosen.after != book.champion:
        raise _too_late(name, chosen, book.champion)
    require_usable(client, name, book, chosen.version)
    reason, kept = f"approved; {chosen.reason}", chosen.model_dump(include=JUDGED)
    return enact(client, name, book, "promote", chosen.version, chosen.version, reason, **kept)


def reject(client: MlflowClient, name: str, book: Ledger, version: int | None) -> Entry:
    """Keep a version that waits, the newest if None, from becoming champion; EvermodelError if none waits."""
    chosen = waiting(book.entries)
    if chosen is None or version not in (None, chosen.version):
        raise _nothing_waits(name, version)
    reason, kept = f"rejected; {chosen.reason}", chosen.model_dump(include=JUDGED)
    return enact(client, name, book, "reject", chosen.version, book.champion, reason, **kept)


def rollback(client: MlflowClient, name: str, book: Ledger, to: int | None) -> Entry:
    """Make an older version champion again, after it has answered for an example.

    None: the last one that was champion before, and was not withdrawn. Raises EvermodelError if there is
    none, or it is not the file that was judged or can't answer.
    """
    never = {None, book.champion, *book.withdrawn}
    before = (line.before for line in reversed(book.entries) if line.before != line.after)
    target = to or next((version for version in before if version not in never), None)
    if target is None:
        raise EvermodelError(f"{name} has had no champion before; name a version with --to")
    if target == book.champion:
        raise EvermodelError(f"version {target} of {name} is champion already; name another with --to")
    require_usable(client, name, book, target)
    reason = f"instead of {_told(book.champion)}"
    return enact(client, name, book, "rollback", target, target, reason)


def withdraw(client: MlflowClient, name: str, book: Ledger, why: str | None) -> Entry:
    """Let there be no champion any more, until another one wins or somebody names one.

    Raises EvermodelError if there is none.
    """
    if (version := book.champion) is None:
        raise EvermodelError(
            f"{name} has no champion to withdraw; `evermodel history {name}` shows what was decided"
        )
    judged = book.judged(version)
    kept = judged.model_dump(include=JUDGED) if judged else {}
    reason = f"withdrawn; {why}" if why else "withdrawn"
    return enact(client, name, book, "withdraw", version, None, reason, **kept)


def require_usable(client: MlflowClient, name: str, book: Ledger, number: int) -> None:
    """Raise an EvermodelError unless a version is the file that was judged, and answers for an example."""
    require_judged(registry.named(client, name, str(number)), book.judged(number))
    registry.require_answer(client, name, number)


def require_judged(version: ModelVersion, judged: Entry | None) -> None:
    """Raise an EvermodelError if a version names another model file than the line that judged it.

    Whether the file is the one that the version names is up to `registry.fetch`.
    """
    if judged and version.tags.get(registry.SHA256) != judged.sha256:
        raise EvermodelError(
            f"{version.name} version {version.version}: its model file is not the one that was judged, as "
            f"line {judged.number} of the ledger tells; "
            f"`evermodel rollback {version.name} --to VERSION` makes another version champion"
        )


def _nothing_waits(name: str, version: int | None) -> EvermodelError:
    none = f"version {version} of {name} does not wait" if version else f"no version of {name} waits"
    return EvermodelError(f"{none} for approval; `evermodel history {name}` shows what was decided")


def _too_late(name: str, chosen: Entry, champion: int | None) -> EvermodelError:
    """A version can't be approved by what was found beside another champion."""
    found, ways = "was withdrawn", f"`evermodel rollback {name} --to {chosen.version}` takes it all the same"
    if chosen.action == "await":
        found = f"was compared with {_told(chosen.after)}"
        promote = f"{folders.experiment(name)}/dvc.yaml:promote"
        ways = f"`dvc repro --force --single-item {promote}` compares the model that is there now, and {ways}"
    now = f"{_told(champion)} is champion now"
    return EvermodelError(f"version {chosen.version} of {name} {found}, and {now}; {ways}")


def _told(version: int | None) -> str:
    return f"version {version}" if version else "no version"


def _follow(client: MlflowClient, name: str, book: Ledger) -> None:
    there = {int(version.version) for version in registry.versions(client, name)}
    set_now = client.get_registered_model(name).aliases
    for alias, version in _meant(book.entries).items():
        if version in there:
            client.set_registered_model_alias(name, alias, str(version))
        elif alias in set_now:  # not needed any more, or somebody has deleted the version
            client.delete_registered_model_alias(name, alias)
    client.set_registered_model_tag(name, HEAD, book.head)


def _meant(lines: Sequence[Entry]) -> dict[str, int | None]:
    """The version of each alias by the lines of a ledger, of which there has to be one."""
    last = lines[-1]
    moves = [line for line in lines if line.before != line.after]
    # Visitors may be answered by it, so that nothing less than the judge's own word will do.
    challenging = last.trusted and last.action in ("keep", "await") and last.version != last.after
    return {
        registry.CHAMPION: last.after,
        PREVIOUS: moves[-1].before if moves and moves[-1].action != "withdraw" else None,
        CHALLENGER: last.version if challenging else None,
    }


def _stand(client: MlflowClient, name: str, lines: Sequence[Entry]) -> tuple[str, dict[str, int]]:
    """The hash of the line that the registry follows, and the version of each of its aliases.

    Raises EvermodelError if lines tell of decisions, and the registry knows nothing of them.
    """
    model = registry.registered(client, name)
    if lines and not model:
        raise EvermodelError(
            f"{folders.ledger(name)} tells of {len(lines)} decisions about {name}, of which this MLflow "
            f"knows nothing; `evermodel restore {name}` fills it from what is kept, or let "
            "MLFLOW_TRACKING_URI name the one that knows"
        )
    if model is None:
        return GENESIS, {}
    return model.tags.get(HEAD, GENESIS), {alias: int(number) for alias, number in model.aliases.items()}


def _who() -> str:
    """The run of Airflow that did it, and for whom, or the user of this machine."""
    named = [os.environ[name] for name in (PERSON, RUN) if os.environ.get(name)]
    return " in ".join(named) or f"{getpass.getuser()}@{platform.node()}"
