"""Once a week one champion, drawn by lot, is made again from its commit, in a clone of its own, and compared.

Red unless it is EXACT; on a machine of another kind than the one that trained it, EQUIVALENT will do.
docs/rebuilding.md says what that is. Writes nothing to MLflow.
"""

from airflow.sdk import CronTriggerTimetable

from tasks import RUN, dag, step

CRON = "23 3 * * 6"  # when it does, in UTC
ADVICE = (
    "Its log names the first stage that wrote something else, and what differs. Cleared, the task draws the "
    "same champion."
)

with dag(
    "rebuild",
    ADVICE,
    schedule=CronTriggerTimetable(CRON, timezone="UTC"),
    tags=["champions"],
    description="one champion a week, to the last bit",
    doc_md=__doc__,
):
    # A rebuild that differs is told, and not tried until it does not.
    step("rebuild", "rebuild", retries=0, env={"EVERMODEL_RUN": RUN}, do_xcom_push=False, pool="cpu")
