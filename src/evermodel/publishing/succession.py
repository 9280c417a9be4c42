"""Who is champion: the aliases of a registered model, moved by what the ledger says and never without it."""

import getpass
import os
import platform
from datetime import UTC, datetime

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from evermodel.core.errors import EvermodelError
from evermodel.publishing import registry
from evermodel.publishing.candidate import Candidate
from evermodel.publishing.ledger import GENESIS, Action, Entry, Ledger
from evermodel.runs import journal

PREVIOUS, CHALLENGER = "previous", "challenger"
HEAD = "evermodel.ledger"  # the tag that says up to which line the aliases follow the ledger
RUN = "EVERMODEL_RUN"  # set by Airflow's tasks


def entry(
    action: Action,
    version: int,
    before: int | None,
    after: int | None,
    reason: str,
    model: Candidate | None = None,
    compared: bool = False,
) -> Entry:
    """A line for the ledger, which itself adds number, previous and hash; model: what was judged, if
    anything.
    """
    return Entry(
        number=0,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        who=_who(),
        action=action,
        version=version,
        before=before,
        after=after,
        reason=reason,
        commit=journal.commit(),
        sha256=model.facts.sha256 if model else "",
        test_hash=model.spec.test_hash if model else "",
        compared=compared,
        policy=model.policy_hash if model else "",
        numbers=model.numbers if model else {},
        previous="",
    )


def enact(client: MlflowClient, name: str, book: Ledger, decided: Entry) -> Entry:
    """Write a line, then move the aliases; what is cut short in between is made up for by `reconcile`."""
    written = book.append(decided)
    _follow(client, name, book)
    return written


def reconcile(client: MlflowClient, name: str, book: Ledger) -> None:
    """Make ledger and aliases agree before anything is decided.

    Aliases that a crash left behind follow; a champion that somebody named in MLflow itself is written down.
    Raises EvermodelError if the registry has followed another ledger.
    """
    models = client.search_registered_models(f"name = '{name}'", max_results=1)
    followed = models[0].tags.get(HEAD, GENESIS) if models else GENESIS
    if followed != book.head:
        if followed not in {GENESIS, *(line.hash for line in book.entries)}:
            raise EvermodelError(
                f"{book.file} is not the ledger by which {name} was promoted last; let EVERMODEL_LEDGER "
                "name the folder of that one, or restore it from a copy"
            )
        _follow(client, name, book)
        return
    champion = registry.champion(client, name)
    found = int(champion.version) if champion else None
    if found != book.champion:
        reason = (
            f"somebody made version {found} champion in MLflow" if found else "somebody took the alias away"
        )
        version = found or book.champion
        assert version is not None
        enact(client, name, book, entry("found", version, book.champion, found, reason))


def _follow(client: MlflowClient, name: str, book: Ledger) -> None:
    last = book.entries[-1]
    aliases = {registry.CHAMPION: last.after}
    if last.before != last.after:
        aliases[PREVIOUS] = last.before
    aliases[CHALLENGER] = last.version if last.version != last.after and last.action != "rollback" else None
    for alias, version in aliases.items():
        if version is None:
            _remove(client, name, alias)
        else:
            client.set_registered_model_alias(name, alias, str(version))
    client.set_registered_model_tag(name, HEAD, last.hash)


def _remove(client: MlflowClient, name: str, alias: str) -> None:
    try:
        client.delete_registered_model_alias(name, alias)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _who() -> str:
    """The run of Airflow that did it, or the user of this machine."""
    return os.environ.get(RUN) or f"{getpass.getuser()}@{platform.node()}"
