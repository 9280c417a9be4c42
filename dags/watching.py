"""Looks for new data on the default branch of the repository.

A data set whose content hash is not the one that was told last retrains the experiments that use it; the same
hash retrains nothing. `report` is red if a hash can't be told, or if the mirror has a file that is not the
pinned one. Switch it on where data is to retrain by itself; docs/airflow.md says what counts as new.
"""

import json

from airflow.sdk import Asset, AssetAlias, BaseOperator, CronTriggerTimetable
from airflow.sdk.exceptions import AirflowFailException

import repository
from tasks import dag, step

CRON = "17 * * * *"  # how often it looks, in UTC
DATASETS = sorted({experiment.dataset for experiment in repository.experiments().values()})
RAW = {name: Asset(f"raw.{name}") for name in DATASETS}
# Data sets as outlets would have an event each time; what is added to the alias has one when it is new.
NEW = AssetAlias("raw")
ADVICE = "Mend what it names; the next run looks again, and until then what it names retrains nothing."


class Report(BaseOperator):
    """Red if the look found a fault; a task of its own, because a red task has no events."""

    def execute(self, context):
        """Name each data set, what is wrong with it, and what to do."""
        faults = context["ti"].xcom_pull(task_ids="look")["faults"]
        if faults:
            raise AirflowFailException(". ".join(f"{name}: {fault}" for name, fault in faults.items()))


def told_last(events):
    """The hash of the newest event that has one; events of other makers may have none."""
    extras = (event.extra or {} for event in events.ascending(False))
    return next((extra["sha256"] for extra in extras if "sha256" in extra), None)


def announce(context, found):
    """Emit the assets of the data sets whose hash was not told last."""
    for name, asset in RAW.items():
        sha256 = found["sha256"].get(name)
        if sha256 and sha256 != told_last(context["inlet_events"][asset]):
            context["outlet_events"][NEW].add(asset, extra={"sha256": sha256, "commit": found["commit"]})


with dag(
    "watch",
    ADVICE,
    schedule=CronTriggerTimetable(CRON, timezone="UTC"),
    is_paused_upon_creation=True,
    tags=["data"],
    description="new data, by content hash",
    doc_md=__doc__,
):
    look = step(
        "look",
        "watch",
        hours=1,
        output_processor=json.loads,
        inlets=list(RAW.values()),
        outlets=[NEW],
        post_execute=announce,
    )
    look >> Report(task_id="report")
