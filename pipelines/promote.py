"""promote NAME: register the model of an experiment, and make it champion if the policy says so."""

import os
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO

from mlflow.tracking import MlflowClient
from PIL import Image

from evermodel.core import folders, project, stage
from evermodel.core.project import Runtime
from evermodel.publishing import (
    aliases,
    candidate,
    card,
    cost,
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
from evermodel.publishing.ledger import Action, Entry, Ledger
from evermodel.publishing.policy import REPORT_ONLY, Promotion
from evermodel.publishing.promotion import Decision

EXPERIMENT = "DVC_EXP_NAME"  # set by `dvc exp run`
WINS: Mapping[str, Action] = {"auto": "promote", "manual": "await"}


@tracking.answering()
def main(name: str) -> None:
    """Complete the run in MLflow, register experiments/<name>/model once, decide, and move the aliases.

    Nobody else can promote this experiment in the meantime. The receipt promotion.json, which is in no cache,
    makes a clone that has dvc.lock but no registry yet promote again. Under `dvc exp run` only the run is
    completed: what is tried out is neither registered nor judged on the test rows. Under
    EVERMODEL_REPORT_ONLY it is judged, and nobody becomes champion.
    """
    shared = project.load()
    model = candidate.load(name, shared)
    client = tracking.connect()
    run_id = tracking.sync(client, name, model.metadata.key)
    model = replace(model, cost=cost.of_run(client.get_run(run_id)))
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
    if why := os.environ.get(REPORT_ONLY):  # by a policy of its own, so that main's is asked again
        model = replace(model, policy=model.policy.model_copy(update={"approval": "report-only"}))
    known = book.decided(model.metadata.sha256, model.policy_hash, model.spec.test_hash)
    if known and not _is_lost(client, model.name, known, book):
        now = f"version {book.champion}" if book.champion else "nobody"
        told = f"version {known.version} {known.action}: {known.reason}"
        return f"{told}; that was decided before, and champion is {now}"
    model = latency.measured(model, runtime)
    uses = book.test_set_uses(model.spec.test_sketch, model.spec.test_hash)
    rival = rescoring.rival(client, model, book)
    decision = promotion.decide(model, rival, uses)
    if why:
        decision = replace(decision, reason=f"{decision.reason}; nobody is promoted, because {why}")
    action = act(model.policy, decision)
    told = report.page(model, rival, decision, uses)
    version = registry.register(client, model, run_id)
    verdict = f"{action}: {decision.reason}"
    text = card.write(model, version, verdict, told)
    registry.describe(client, model, version, verdict, text)
    _log(client, run_id, model, decision, f"{model.name} version {version}: {action}", told, text)
    after = version if action == "promote" else book.champion
    compared = bool(decision.comparisons)
    aliases.enact(
        client,
        model.name,
        book,
        action,
        version,
        after,
        decision.reason,
        scores=model.scores.sha256,
        trusted=decision.trusted,
        compared=compared,
        rows=model.spec.test_sketch if compared else (),
        **model.judged,
    )
    if (first := client.get_model_version(model.name, str(version)).run_id) != run_id:
        record.write(client, first)  # another training has made the same file before
    return f"version {version} {action}: {decision.reason}"


def _is_lost(client: MlflowClient, name: str, known: Entry, book: Ledger) -> bool:
    """Whether MLflow has lost the version of which that was decided, and nobody is champion or refused it."""
    if book.champion or known.action in aliases.REFUSALS:
        return False
    return known.version not in {int(version.version) for version in registry.versions(client, name)}


def act(policy: Promotion, decision: Decision) -> Action:
    """What becomes of a model by its policy, once it is judged."""
    if policy.approval == "report-only":
        return "report"
    if decision.waits:
        return "await"
    return WINS[policy.approval] if decision.promoted else "keep"


def _log(
    client: MlflowClient, run_id: str, model: Candidate, decision: Decision, title: str, told: str, text: str
) -> None:
    """Log the report of a decision with its image, and the card as a page with all images."""
    figures = sorted((folders.experiment(model.name) / "figures").glob("*.png"))
    shown = {file.stem: file.read_bytes() for file in figures}
    if decision.comparisons:
        differences = report.image(model.policy, decision)
        client.log_image(run_id, Image.open(BytesIO(differences)), "promotion/differences.png")
        shown = {"differences": differences, **shown}
    client.log_text(run_id, f"# {title}\n\n{told}", "promotion/report.md")
    client.log_text(run_id, card.page(title, text, shown), "card.html")


if __name__ == "__main__":
    stage.run(main)
