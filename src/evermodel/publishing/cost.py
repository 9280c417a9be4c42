"""What trainings have cost, in hours of GPUs and of processors: on the run of each, as MLflow's metrics.

An hour of a GPU is one that a training had it for, an hour of a processor one that it computed on a core.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from mlflow.entities import Metric, Run

from evermodel import number

UNITS = {"gpu_hours": "train/gpu_hours", "cpu_hours": "train/cpu_hours"}  # and what MLflow calls them
HOUR = 3600  # seconds


def points(events: Iterable[Mapping[str, Any]], known: Mapping[str, Iterable[Metric]]) -> list[Metric]:
    """The points that a run lacks: what its training has cost up to the end of each try, in hours.

    events: of its journal; known: the points that the run has, by the metric. A point is of the time when the
    try began, so that tries of other machines, of which this journal knows nothing, count too, and once.
    """
    tries = _tries(events)
    return [
        point
        for unit, metric in UNITS.items()
        for point in _sums(metric, {start: hours[unit] for start, hours in tries.items()}, known)
    ]


def of_run(run: Run) -> dict[str, float]:
    """The hours of all tries of a run's training; nothing where they are not known."""
    return {unit: run.data.metrics[metric] for unit, metric in UNITS.items() if metric in run.data.metrics}


def told(hours: Mapping[str, float]) -> str:
    """Hours in words, such as "0.5 GPU hours, 2 CPU hours"."""
    return ", ".join(f"{number.text(hours[unit])} {_title(unit)}" for unit in UNITS if unit in hours)


def _title(unit: str) -> str:
    """What a person calls a unit."""
    kind, _, hours = unit.partition("_")
    return f"{kind.upper()} {hours}"


def of_experiment(runs: Iterable[Run], last: str | None) -> dict[str, float | None]:
    """The hours of one of the runs of an experiment, and those of all; None where they are not known.

    last: the id of that one.
    """
    hours = {run.info.run_id: of_run(run) for run in runs}
    all_of_them = {unit: [one[unit] for one in hours.values() if unit in one] for unit in UNITS}
    return {
        **{unit: hours.get(last, {}).get(unit) for unit in UNITS},
        **{f"total_{unit}": sum(found) if found else None for unit, found in all_of_them.items()},
    }


def _tries(events: Iterable[Mapping[str, Any]]) -> dict[int, dict[str, float]]:
    """The hours of each try of a training, as far as its journal goes, by the time when it began."""
    found: dict[int, dict[str, float]] = {}
    start, gpus = 0, 0
    for event in events:
        if event["stage"] != "train":
            continue
        if event["event"] == "start":
            start, gpus = event["time"], 0
        gpus = event.get("gpus", gpus)
        if "cpu_seconds" in event:  # journals of before do not tell
            used = gpus * event["seconds"], event["cpu_seconds"]
            found[start] = {unit: seconds / HOUR for unit, seconds in zip(UNITS, used, strict=True)}
    return found


def _sums(metric: str, tries: Mapping[int, float], known: Mapping[str, Iterable[Metric]]) -> list[Metric]:
    """A point for each try that the run does not know, or not to its end: the sum of all tries so far."""
    made, sums = [], dict[int, float]()
    for point in known.get(metric, ()):
        sums[point.timestamp] = max(point.value, sums.get(point.timestamp, 0.0))
    for start, hours in sorted(tries.items()):
        before = [total for time, total in sums.items() if time < start]
        total = max(before, default=0.0) + hours
        if start not in sums or total > sums[start]:
            sums[start] = total
            made.append(Metric(metric, total, start, len(before) + 1))
    return made
