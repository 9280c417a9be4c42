"""promote NAME: register the model of an experiment, and make it champion if the policy says so."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow.tracking import MlflowClient

from evermodel.core import data, params, stage
from evermodel.core.params import Runtime
from evermodel.publishing import (
    candidate,
    card,
    latency,
    ledger,
    outputs,
    page,
    promotion,
    registry,
    report,
    rescoring,
    succession,
    tracking,
)
from evermodel.publishing.candidate import Candidate
from evermodel.publishing.ledger import Action, Ledger
from evermodel.publishing.promotion import Decision

WINS: Mapping[str, Action] = {"auto": "promote", "manual": "await", "report-only": "report"}


@tracking.answering()
def main(name: str) -> None:
    """Complete the run in MLflow, register models/<name>/ once, decide, and move the aliases.

    Nobody else can promote this experiment in the meantime. The receipt in reports/promotion/ makes a clone
    that has dvc.lock but no registry yet promote again.
    """
    values = params.load()
    model = candidate.load(name, values)
    client = tracking.connect()
    run_id = tracking.sync(client, name, model.facts.key)
    outputs.log(client, run_id, name, values)
    with ledger.held(name) as book:
        succession.reconcile(client, name, book)
        told = promote(client, model, run_id, book, values.runtime)
    receipt = data.REPORTS / "promotion" / f"{name}.json"
    receipt.parent.mkdir(parents=True, exist_ok=True)
    content = {"model": model.facts.sha256, "policy": model.policy.model_dump()}
    receipt.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"{name} {told}")


def promote(client: MlflowClient, model: Candidate, run_id: str, book: Ledger, runtime: Runtime) -> str:
    """Decide about a model and do what follows, or tell what was decided before."""
    if known := book.decided(model.facts.sha256, model.policy_hash, model.spec.test_hash):
        return f"version {known.version} {known.action}: {known.reason}"
    model = latency.measured(model, runtime)
    looks = book.looks(model.spec.test_hash)
    rival = rescoring.rival(client, model)
    decision = promotion.decide(model, rival, looks)
    action: Action = WINS[model.policy.approval] if decision.promoted else "keep"
    told = report.page(model, rival, decision, looks)
    version = registry.register(client, model, run_id)
    verdict = f"{action}: {decision.reason}"
    text = card.write(model, version, verdict, told)
    registry.describe(client, model, version, verdict, text)
    _log(client, run_id, _files(model, f"{model.name} version {version}: {action}", decision, told, text))
    after = version if action == "promote" else book.champion
    compared = bool(decision.comparisons)
    succession.enact(
        client,
        model.name,
        book,
        succession.entry(action, version, book.champion, after, decision.reason, model, compared),
    )
    return f"version {version} {action}: {decision.reason}"


def _files(model: Candidate, title: str, decision: Decision, told: str, text: str) -> dict[str, bytes]:
    """The report of a decision with its picture, and the card as a page with all pictures."""
    figures = sorted((data.REPORTS / model.name / "figures").glob("*.png"))
    shown = {file.stem: file.read_bytes() for file in figures}
    files = {"promotion/report.md": f"# {title}\n\n{told}".encode()}
    if decision.comparisons:
        files["promotion/differences.png"] = report.picture(model.policy, decision)
        shown = {"difference to the champion": files["promotion/differences.png"], **shown}
    return files | {"card.html": page.write(title, text, shown).encode()}


def _log(client: MlflowClient, run_id: str, files: Mapping[str, bytes]) -> None:
    with TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).parent.mkdir(exist_ok=True)
            (Path(folder) / name).write_bytes(content)
        client.log_artifacts(run_id, folder)


if __name__ == "__main__":
    stage.run(main)
