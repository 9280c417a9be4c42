"""Looks for new data on the default branch of the repository.

An experiment retrains if the content hash of its data set is not the one that it was told last; the same hash
retrains nothing. One that is paused is told nothing, for Airflow would forget it: it is told when it is not.
`report` is red if a hash can't be told, or if the mirror has a file that is not the pinned one. Switch it on
where data is to retrain by itself; docs/airflow.md says what counts as new.
"""

import json

from airflow.sdk import Asset, AssetAlias, CronTriggerTimetable

import repository
from tasks import Report, dag, step

CRON = "17 * * * *"  # how often it looks, in UTC
DATASETS = {name: experiment.dataset for name, experiment in repository.experiments().items()}
DATA = {name: Asset(f"data.{name}") for name in DATASETS}
# As outlets they would have an event each time; what is added to the alias has one when it is new.
NEW = AssetAlias("data")
ADVICE = "Mend what it names; the next run looks again, and until then what it names retrains nothing."


def told_last(events):
    """The hash of the newest event that has one; events of other makers may have none."""
    extras = (event.extra or {} for event in events.ascending(False))
    return next((extra["sha256"] for extra in extras if "sha256" in extra), None)


def announce(context, found):
    """Emit the assets of the experiments that listen and were not told the hash of their data set last."""
    for name, asset in DATA.items():
        sha256 = found["sha256"].get(DATASETS[name])
        if not sha256 or sha256 == told_last(context["inlet_events"][asset]):
            continue
        if not context["ti"].get_dag(f"retrain.{name}").is_paused:
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
        inlets=list(DATA.values()),
        outlets=[NEW],
        post_execute=announce,
    )
    look >> Report(task_id="report")
