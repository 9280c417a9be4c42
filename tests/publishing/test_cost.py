import pytest
from mlflow.entities import Metric, Run, RunData, RunInfo

from evermodel.publishing import cost

GPU, CPU = "train/gpu_hours", "train/cpu_hours"


def event(name, time, seconds, cpu_seconds, stage="train", **values):
    spent = {"seconds": seconds, "cpu_seconds": cpu_seconds}
    return {"event": name, "stage": stage, "time": time} | spent | values


def a_try(start, seconds, gpus=2, last="end"):
    """The events of a try that computes on four cores for as long as it takes."""
    return [
        event("start", start, 0.0, 0.0),
        event("devices", start + 1, 0.0, 0.0, gpus=gpus),
        event(last, start + 1000 * seconds, seconds, 4 * seconds),
    ]


def known(points):
    """What MLflow then has."""
    return {name: [point for point in points if point.key == name] for name in (GPU, CPU)}


def told(points, name):
    return [(point.step, point.value, point.timestamp) for point in points if point.key == name]


def test_hours_are_those_of_all_devices():
    made = cost.points(a_try(5, 1800), {})
    assert told(made, GPU) == [(1, 1.0, 5)]
    assert told(made, CPU) == [(1, 2.0, 5)]


def test_without_a_gpu_it_costs_none_and_that_is_known():
    assert told(cost.points(a_try(5, 1800, gpus=0), {}), GPU) == [(1, 0.0, 5)]


def test_scikit_learn_which_asks_for_no_devices_has_no_gpu():
    start, _, end = a_try(5, 1800)
    assert told(cost.points([start, end], {}), GPU) == [(1, 0.0, 5)]


def test_a_resumed_training_costs_what_all_its_tries_have():
    events = [*a_try(5, 900, last="killed"), *a_try(2_000_000, 1800, gpus=1)]
    assert told(cost.points(events, {}), GPU) == [(1, 0.5, 5), (2, 1.0, 2_000_000)]


def test_a_try_that_was_killed_outright_costs_what_its_last_epoch_told():
    events = [*a_try(5, 0, last="epoch"), event("epoch", 9, 1800, 7200), *a_try(2_000_000, 1800)]
    assert told(cost.points(events, {}), GPU) == [(1, 1.0, 5), (2, 2.0, 2_000_000)]


def test_the_evaluation_is_no_part_of_it():
    events = [*a_try(5, 1800), event("start", 9_000_000, 0, 0, "evaluate")]
    events += [event("end", 9_000_000, 3600, 3600, "evaluate")]
    assert told(cost.points(events, {}), CPU) == [(1, 2.0, 5)]


def test_nothing_is_told_twice():
    events = a_try(5, 1801)
    first = cost.points(events, {})
    assert cost.points(events, known(first)) == []
    second = cost.points([*events, *a_try(2_000_000, 1801)], known(first))
    assert told(second, GPU) == [(2, pytest.approx(2 * 1801 / 1800), 2_000_000)]


def test_the_tries_of_another_machine_count_whose_journal_is_not_here():
    elsewhere = cost.points(a_try(5, 1800), {})
    made = cost.points(a_try(2_000_000, 1800), known(elsewhere))
    assert told(made, GPU) == [(2, 2.0, 2_000_000)]


def test_a_try_that_was_told_too_early_is_told_again_to_its_end():
    start, devices, end = a_try(5, 1800)
    early = cost.points([start, devices, event("epoch", 9, 900, 900)], {})
    made = cost.points([start, devices, end], known(early))
    assert told(made, GPU) == [(1, 1.0, 5)]
    both = [*early, *made]
    assert max((point.step, point.timestamp, point.value) for point in both if point.key == GPU)[2] == 1.0


def test_of_a_journal_that_tells_no_seconds_nothing_is_known():
    old = [{"event": "start", "stage": "train", "time": 5}, {"event": "end", "stage": "train", "time": 9}]
    old[1]["seconds"] = 4.0
    assert cost.points(old, {}) == []
    assert cost.points([], {}) == []


def run(name, **metrics):
    info = RunInfo(name, "1", "me", "FINISHED", 0, 1, "active")
    return Run(
        info,
        RunData(metrics=[Metric(key.replace("_", "/", 1), value, 0, 1) for key, value in metrics.items()]),
    )


def test_an_experiment_costs_what_all_its_runs_have_and_its_version_what_its_own_has():
    runs = [run("a", train_gpu_hours=1.0, train_cpu_hours=2.0), run("b", train_cpu_hours=0.5), run("old")]
    found = cost.of_experiment(runs, "b")
    assert found == {"gpu_hours": None, "cpu_hours": 0.5, "total_gpu_hours": 1.0, "total_cpu_hours": 2.5}
    assert cost.of_experiment(runs[2:], None) == dict.fromkeys(found)


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        ({"gpu_hours": 0.5, "cpu_hours": 2.0}, "0.5 GPU hours, 2 CPU hours"),
        ({"cpu_hours": 0.0006}, "0.0006 CPU hours"),
        ({}, ""),
    ],
)
def test_hours_are_told_in_words(hours, words):
    assert cost.told(hours) == words
