"""promote NAME: register the model of an experiment, and make it champion if the policy says so."""

import json
from datetime import UTC, datetime

from evermodel import sources
from evermodel.core import data, params, stage
from evermodel.publishing import card, promotion, registry, tracking
from evermodel.runs import saved


@tracking.answering()
def main(name: str) -> None:
    """Complete the run in MLflow, register models/<name>/ once, decide, and move the alias.

    The receipt in reports/promotion/ makes a clone that has dvc.lock but no registry yet promote again.
    """
    values = params.load()
    experiment = values.experiment(name)
    policy = experiment.promotion
    spec = data.load_spec(data.PREPARED / experiment.dataset)
    facts = saved.facts(saved.MODELS / name)
    figures = json.loads((data.REPORTS / name / "metrics.json").read_text(encoding="utf-8"))
    client = tracking.connect()
    run_id = tracking.sync(client, name, facts.key)
    champion = registry.champion(client, name)
    rival = None if champion and registry.holds(champion, facts) else registry.judged(champion)
    decision = promotion.decide(policy, figures, spec.test_hash, values.profile, rival)
    source = sources.provenance(data.RAW / experiment.dataset)
    verdict = f"{'promoted' if decision.promoted else 'not promoted'}: {decision.reason}"
    description = card.write(name, experiment, spec, source, facts, figures, verdict)
    judgement = {
        "metric": policy.metric,
        "value": repr(figures.get(policy.metric)),
        "test_hash": spec.test_hash,
        "profile": values.profile,
        "decision": verdict,
        "decided": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    version = registry.register(client, name, run_id, spec, description, judgement)
    if decision.promoted:
        client.set_registered_model_alias(name, registry.CHAMPION, version.version)
    receipt = data.REPORTS / "promotion" / f"{name}.json"
    receipt.parent.mkdir(parents=True, exist_ok=True)
    receipt.write_text(json.dumps({"model": facts.sha256, "policy": policy.model_dump()}, indent=1) + "\n")
    print(f"{name} version {version.version} {verdict}")


if __name__ == "__main__":
    stage.run(main)
