"""Approving: where params.yaml says `approval: manual`, a model that won waits for somebody's word.

`evermodel step approve` does what `evermodel promote` does, in the name of whoever has answered. The run is
one of its own, since a retraining that waited for a person would hold up the next one.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, Asset

from failures import explain

GRAPH = json.loads(Path(__file__).with_name("graph.json").read_text(encoding="utf-8"))
MANUAL = {name: one for name, one in GRAPH["experiments"].items() if one["approval"] == "manual"}
ANSWER = {
    "EVERMODEL_RUN": "{{ dag.dag_id }}/{{ run_id }}",
    "EVERMODEL_VERSION": "{{ (ti.xcom_pull(task_ids='look') or {}).get('version', '') }}",
    "EVERMODEL_PERSON": "{{ ti.xcom_pull(task_ids='approve', key='person') or '' }}",
}
SUBJECT = "Shall version {{ ti.xcom_pull(task_ids='look')['version'] }} of %s be champion?"
BODY = (
    "Champion is version {{ ti.xcom_pull(task_ids='look')['champion'] or 'none' }}. "
    "The policy says yes: {{ ti.xcom_pull(task_ids='look')['reason'] }}. "
    "Report and card are on the run of this version in MLflow."
)
ABOUT = (
    "A model of **%s** that won waits for a person. `approve` asks (*Required Actions*): Approve promotes "
    "it, Reject keeps the champion. Either is written to the ledger with the name of whoever answered."
)
ADVICE = "Mend what it names, then clear the task; the answer is kept."


class Approve(ApprovalOperator):
    """Tells who has answered, also where the answer is no; Airflow's own tells it for a yes only."""

    def execute_complete(self, context, event):
        """Keep the person's name, then do what the answer says."""
        context["ti"].xcom_push(key="person", value=event["responded_by_user"]["name"])
        return super().execute_complete(context, event)


def step(task_id, command, owner, before="", **options):
    """A task that runs `evermodel step`."""
    return BashOperator(
        task_id=task_id,
        bash_command=f"{before}evermodel step {command}",
        env=ANSWER,
        append_env=True,
        owner=owner,
        retries=2,
        retry_delay=timedelta(minutes=1),
        execution_timeout=timedelta(hours=1),
        **options,
    )


def announce(context, told):
    """Emit the asset of the champion with its version and hash."""
    (asset,) = context["task"].outlets
    context["outlet_events"][asset].extra.update(json.loads(told))


def approving(name, owner):
    """A DAG: what waits, a person's word, and what follows from it."""
    with DAG(
        f"approve.{name}",
        schedule=[Asset(f"challenger.{name}")],
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args={"on_failure_callback": explain(ADVICE)},
        tags=["champions"],
        description=f"somebody's word on {name}",
        doc_md=ABOUT % name,
    ) as dag:
        look = step("look", f"waiting {name}", owner, output_processor=json.loads)
        approve = Approve(task_id="approve", subject=SUBJECT % name, body=BODY, owner=owner)
        promote = step(
            "promote",
            f"approve {name}",
            owner,
            outlets=[Asset(f"champion.{name}")],
            post_execute=announce,
        )
        refuse = step(
            "refuse",
            f"refuse {name}",
            owner,
            before='test -n "$EVERMODEL_PERSON" || exit 99; ',  # skipped where nobody was asked
            trigger_rule="all_skipped",  # Reject skips what comes right after it
        )
        look >> approve >> promote >> refuse
    return dag


for name, experiment in MANUAL.items():
    approving(name, experiment["owner"])
