"""Rebuilding: once a week one champion, drawn by lot, is made again from its commit and compared.

`evermodel step rebuild` does it and fails unless the rebuild is EXACT; docs/rebuilding.md says what that is.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, CronTriggerTimetable

from failures import explain

CRON = "23 3 * * 6"  # when it does, in UTC
ABOUT = (
    "Makes one champion again from its commit, in a clone of its own, and compares. Red unless it is EXACT; "
    "on a machine of another kind than the one that trained it, EQUIVALENT will do. Writes nothing to MLflow."
)
ADVICE = (
    "Its log names the first stage that wrote something else, and what differs. Cleared, the task draws the "
    "same champion."
)

with DAG(
    "rebuild",
    schedule=CronTriggerTimetable(CRON, timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "evermodel", "on_failure_callback": explain(ADVICE)},
    tags=["champions"],
    description="one champion a week, to the last bit",
    doc_md=ABOUT,
):
    BashOperator(
        task_id="rebuild",
        bash_command="evermodel step rebuild",
        env={"EVERMODEL_RUN": "{{ dag.dag_id }}/{{ run_id }}"},
        append_env=True,
        do_xcom_push=False,
        retries=0,  # a rebuild that differs is told, and not tried until it does not
        execution_timeout=timedelta(hours=24),
    )
