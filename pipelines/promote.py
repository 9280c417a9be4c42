"""promote NAME: register the model of an experiment, and make it champion if the policy says so."""

import os
from collections.abc import Mapping
from io import BytesIO

from mlflow.tracking import MlflowClient
from PIL import Image

from evermodel.core import folders, project, stage
from evermodel.core.project import Runtime
from evermodel.publishing import (
    aliases,
    candidate,
    card,
    latency,
    ledger,
    outputs,
    promotion,
    receipt,
    record,
    registry,
    report,
    rescoring,
    tracking,
)
from evermodel.publishing.candidate import Candidate
from evermodel.publishing.ledger import Action, Ledger
from evermodel.publishing.promotion import Decision

EXPERIMENT = "DVC_EXP_NAME"  # set by `dvc exp run`
WINS: Mapping[str, Action] = {"auto": "promote", "manual": "await", "report-only": "report"}


@tracking.answering()
def main(name: str) -> None:
    """Complete the run in MLflow, register experiments/<name>/model once, decide, and move the aliases.

    Nobody else can promote this experiment in the meantime. The receipt promotion.json, which is in no cache,
    makes a clone that has dvc.lock but no registry yet promote again. Under `dvc exp run` only the run is
    completed: what is tried out is neither registered nor judged on the test rows.
    """
    shared = project.load()
    model = candidate.load(name, shared)
    client = tracking.connect()
    run_id = tracking.sync(client, name, model.metadata.key)
    trial = os.environ.get(EXPERIMENT)
    if trial:
        told = (
            f"is the experiment {trial} of DVC's and not promoted; after `dvc exp apply {trial}`, "
            f"`evermodel run {name}` hands it in"
        )
    else:
        outputs.log(client, run_id, model)
        with ledger.held(name) as book:
            aliases.reconcile(client, name, book)
            told = promote(client, model, run_id, book, shared.runtime)
    record.write(client, run_id)
    receipt.write(name, model.metadata.sha256, model.policy.model_dump(mode="json"), handed_in=not trial)
    print(f"{name} {told}")


def promote(client: MlflowClient, model: Candidate, run_id: str, book: Ledger, runtime: Runtime) -> str:
    """Decide about a model and do what follows, or tell what was decided before."""
    if known := book.decided(model.metadata.sha256, model.policy_hash, model.spec.test_hash):
        return f"version {known.version} {known.action}: {known.reason}"
    model = latency.measured(model, runtime)
    uses = book.test_set_uses(model.spec.test_hash)
    rival = rescoring.rival(client, model)
    decision = promotion.decide(model, rival, uses)
    action: Action = WINS[model.policy.approval] if decision.promoted else "keep"
    told = report.page(model, rival, decision, uses)
    version = registry.register(client, model, run_id)
    verdict = f"{action}: {decision.reason}"
    text = card.write(model, version, verdict, told)
    registry.describe(client, model, version, verdict, text)
    _log(client, run_id, model, decision, f"{model.name} version {version}: {action}", told, text)
    after = version if action == "promote" else book.champion
    compared = bool(decision.comparisons)
    aliases.enact(
        client, model.name, book, action, version, after, decision.reason, compared=compared, **model.judged
    )
    if (first := client.get_model_version(model.name, str(version)).run_id) != run_id:
        record.write(client, first)  # another training has made the same file before
    return f"version {version} {action}: {decision.reason}"


def _log(
    client: MlflowClient, run_id: str, model: Candidate, decision: Decision, title: str, told: str, text: str
) -> None:
    """Log the report of a decision with its image, and the card as a page with all images."""
    figures = sorted((folders.experiment(model.name) / "figures").glob("*.png"))
    shown = {file.stem: file.read_bytes() for file in figures}
    if decision.comparisons:
        differences = report.image(model.policy, decision)
        client.log_image(run_id, Image.open(BytesIO(differences)), "promotion/differences.png")
        shown = {"difference to the champion": differences, **shown}
    client.log_text(run_id, f"# {title}\n\n{told}", "promotion/report.md")
    client.log_text(run_id, card.page(title, text, shown), "card.html")


if __name__ == "__main__":
    stage.run(main)
