"""A person decides where `approval` is `manual`, or a model takes other inputs than its champion.

`approve` asks (*Required Actions*): Approve promotes it, Reject keeps the champion. Either is written to the
ledger with the name of whoever answered. A retraining that waited for that would hold up the next one, so the
run is one of its own.
"""

import json
from functools import partial

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Asset

import repository
import tasks
from tasks import RUN, dag

ANSWER = {
    "EVERMODEL_RUN": RUN,
    "EVERMODEL_VERSION": "{{ (ti.xcom_pull(task_ids='look') or {}).get('version', '') }}",
    "EVERMODEL_PERSON": "{{ ti.xcom_pull(task_ids='approve', key='person') or '' }}",
}
SUBJECT = "Shall version {{ ti.xcom_pull(task_ids='look')['version'] }} of %s be champion?"
BODY = (
    "Champion is version {{ ti.xcom_pull(task_ids='look')['champion'] or 'none' }}. "
    "The policy says: {{ ti.xcom_pull(task_ids='look')['reason'] }}. "
    "Report and card are on the run of this version in MLflow."
)
ADVICE = "Mend what it names, then clear the task; the answer is kept."


class Approve(ApprovalOperator):
    """Tells who has answered, also where the answer is no; Airflow's own tells it for a yes only."""

    def execute_complete(self, context, event):
        """Keep the person's name, then do what the answer says."""
        context["ti"].xcom_push(key="person", value=event["responded_by_user"]["name"])
        return super().execute_complete(context, event)


def announce(context, told):
    """Emit the asset of the champion with its version and hash."""
    (asset,) = context["task"].outlets
    context["outlet_events"][asset].extra.update(told)


def approving(name, owner):
    """A DAG: what waits, a person's word, and what follows from it."""
    step = partial(tasks.step, hours=1, env=ANSWER, owner=owner)
    with dag(
        f"approve.{name}",
        ADVICE,
        schedule=[Asset(f"challenger.{name}")],
        tags=["champions"],
        description=f"somebody's word on {name}",
        doc_md=__doc__,
    ):
        look = step("look", f"waiting {name}", output_processor=json.loads)
        approve = Approve(task_id="approve", subject=SUBJECT % name, body=BODY, owner=owner)
        promote = step(
            "promote",
            f"approve {name}",
            output_processor=json.loads,
            outlets=[Asset(f"champion.{name}")],
            post_execute=announce,
        )
        reject = step(
            "reject",
            f"reject {name}",
            before='test -n "$EVERMODEL_PERSON" || exit 99; ',  # skipped where nobody was asked
            trigger_rule="all_skipped",  # Reject skips what comes right after it
        )
        look >> approve >> promote >> reject


for name, experiment in repository.experiments().items():
    if experiment.approval != "report-only":
        approving(name, experiment.schedule.owner)
