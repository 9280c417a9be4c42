"""Watching for new data: the event of each data set whose content hash is not the one that was told last.

`evermodel step watch` looks; what was told is known from Airflow's own events. docs/airflow.md says what
counts as new.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset, AssetAlias, BaseOperator, CronTriggerTimetable
from airflow.sdk.exceptions import AirflowFailException

from failures import explain

CRON = "17 * * * *"  # how often it looks, in UTC
GRAPH = json.loads(Path(__file__).with_name("graph.json").read_text(encoding="utf-8"))
DATASETS = sorted({experiment["dataset"] for experiment in GRAPH["experiments"].values()})
RAW = {name: Asset(f"raw.{name}") for name in DATASETS}
# Data sets as outlets would have an event each time; what is added to the alias has one when it is new.
NEW = AssetAlias("raw")
ABOUT = (
    "Looks at the default branch of the repository. A data set whose content hash was not told yet retrains "
    "the experiments that use it; the same hash retrains nothing. `report` is red if a hash can't be told, "
    "or if the mirror has a file that is not the pinned one. Switch it on where data is to retrain by itself."
)
ADVICE = "Mend what it names; the next run looks again, and until then what it names retrains nothing."


class Report(BaseOperator):
    """Red if the look found a fault; a task of its own, because a red task has no events."""

    def execute(self, context):
        """Name each data set, what is wrong with it, and what to do."""
        faults = json.loads(context["ti"].xcom_pull(task_ids="look"))["faults"]
        if faults:
            raise AirflowFailException(". ".join(f"{name}: {fault}" for name, fault in faults.items()))


def told_last(events):
    """The hash of the newest event that has one; events of other makers may have none."""
    extras = (event.extra or {} for event in events.ascending(False))
    return next((extra["sha256"] for extra in extras if "sha256" in extra), None)


def announce(context, found):
    """Emit the assets of the data sets whose hash was not told last."""
    found = json.loads(found)
    for name, asset in RAW.items():
        sha256 = found["sha256"].get(name)
        if sha256 and sha256 != told_last(context["inlet_events"][asset]):
            context["outlet_events"][NEW].add(asset, extra={"sha256": sha256, "commit": found["commit"]})


with DAG(
    "watch",
    schedule=CronTriggerTimetable(CRON, timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=True,
    default_args={"owner": "evermodel", "on_failure_callback": explain(ADVICE)},
    tags=["data"],
    description="new data, by content hash",
    doc_md=ABOUT,
):
    look = BashOperator(
        task_id="look",
        bash_command="evermodel step watch",
        retries=2,
        retry_delay=timedelta(minutes=1),
        retry_exponential_backoff=2.0,
        execution_timeout=timedelta(hours=1),
        inlets=list(RAW.values()),
        outlets=[NEW],
        post_execute=announce,
    )
    look >> Report(task_id="report")
