"""Who trains together, and which rows are whose; tests/pipeline/test_machines.py trains for real."""

import importlib

import numpy as np
import pytest

from evermodel.core.data import Split
from evermodel.core.errors import EvermodelError
from evermodel.runs import determinism
from evermodel.runs.recipe import Recipe, Train
from evermodel.training import processes
from evermodel.training.processes import ALONE, Team

TRAIN = {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 12, "epochs": 1}
PLACE = "experiments/mine/params.yaml"


def recipe(model="mlp", task="regression", **train):
    return Recipe(
        dataset="made",
        task=task,
        model=model,
        options={},
        baseline="constant",
        train=Train.model_validate(TRAIN | train) if model == "mlp" else {},
    )


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A function that makes this machine one with so many GPUs, and JAX; without any by default."""
    for name in (processes.COORDINATOR, processes.INDEX, processes.PROCESSES):
        monkeypatch.delenv(name, raising=False)

    def made(gpus=0, jax=True):
        monkeypatch.setattr(determinism, "device", lambda: "gpu" if gpus else "cpu")
        monkeypatch.setattr(determinism, "devices", lambda: max(1, gpus))
        monkeypatch.setattr(processes.importlib.util, "find_spec", lambda name: name if jax else None)

    made()
    return made


@pytest.fixture(scope="module")
def batches(keras):
    """A function that gives the batches of a process: 26 rows, each of which is its number."""
    network = importlib.import_module("evermodel.training.network")
    rows = np.arange(26.0)

    def made(team, weight=None):
        split = Split(rows[:, None], rows, weight=weight)
        return network.Batches(split, 12, None, lambda x, y: y, team=team)

    return made


def refused(**changes):
    with pytest.raises(EvermodelError) as error:
        processes.team(recipe(**changes), PLACE)
    return str(error.value)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_parts_of_all_processes_are_the_batch(count):
    rows = np.arange(100, 124 + 2 * count)  # of which the last batch is shorter
    parts = [Team(index, count, count).own(rows, 12) for index in range(count)]
    for start in range(0, len(rows), 12):
        own = [part[start // count : (start + 12) // count] for part in parts]
        assert len({len(part) for part in own}) == 1
        assert np.concatenate(own).tolist() == rows[start : start + 12].tolist()


def test_a_batch_that_processes_do_not_divide_is_no_batch_of_theirs():
    with pytest.raises(ValueError, match="reshape"):
        Team(0, 2, 2).own(np.arange(25), 12)


@pytest.mark.parametrize("devices", [1, 2, 4])
def test_what_is_learned_from_is_the_same_on_any_number_of_devices(batches, devices):
    teams = [Team(index, devices, devices) for index in range(devices)]
    seen = []
    for team in teams:
        (mine := batches(team)).shuffle(seed=1, epoch=3)
        assert len(mine) == 3
        seen.append([mine[number][0][:, 0] for number in range(3)])
    together = [np.concatenate(parts).tolist() for parts in zip(*seen, strict=True)]
    order = np.random.default_rng([1, 3]).permutation(26)
    assert together == [order[:12].tolist(), order[12:24].tolist(), [*order[24:], *order[:10]]]


@pytest.mark.parametrize("weight", [None, np.arange(26) % 3 + 1.0], ids=["alike", "weighted"])
@pytest.mark.parametrize("devices", [1, 4])
def test_each_row_that_is_watched_counts_once(batches, devices, weight):
    weighted, size = 0.0, 0
    for index in range(devices):
        mine = batches(Team(index, devices, devices), weight)
        for x, _, *weights in map(mine.__getitem__, range(len(mine))):
            weighted += float(np.sum(x[:, 0] * (weights[0] if weights else 1)))
            size += len(x)
    assert size % devices == 0
    # What Keras takes for the mean loss: the weighted sum by the number of rows.
    assert weighted / size == pytest.approx(np.mean(np.arange(26) * (1 if weight is None else weight)))


def test_one_device_is_nobody_s_business_but_its_own(machine):
    assert processes.team(recipe(), PLACE) == ALONE
    machine(gpus=1)
    assert processes.team(recipe(), PLACE) == ALONE
    machine(gpus=4)
    assert processes.team(recipe("boosting"), PLACE) == ALONE
    assert processes.team(recipe(task="features"), PLACE) == ALONE


def test_all_gpus_of_a_machine_train(machine):
    machine(gpus=4)
    assert processes.team(recipe(), PLACE) == Team(devices=4)


def test_each_machine_knows_its_place_by_what_kubernetes_says(machine, monkeypatch):
    machine(gpus=2)
    monkeypatch.setenv(processes.COORDINATOR, "job-mine-0.evermodel-training:1234")
    monkeypatch.setenv(processes.INDEX, "2")
    found = processes.team(recipe(machines=3), PLACE)
    assert found == Team(2, 3, 6, "job-mine-0.evermodel-training:1234")
    assert processes.helps()
    monkeypatch.setenv(processes.INDEX, "0")
    assert not processes.helps()


@pytest.mark.parametrize("index", ["", "3", "-1", "first"])
def test_a_place_that_there_is_not_is_refused(monkeypatch, index):
    monkeypatch.setenv(processes.COORDINATOR, "there:1234")
    monkeypatch.setenv(processes.INDEX, index)
    assert "0 to 2" in refused(machines=3)


def test_machines_that_nobody_starts_are_refused_with_both_ways():
    sentence = refused(machines=2)
    assert sentence.startswith(f"{PLACE}: train.machines is 2")
    assert "--processes 2" in sentence
    assert "Kubernetes" in sentence


def test_one_machine_starts_as_many_as_it_is_told(monkeypatch):
    monkeypatch.setenv(processes.PROCESSES, "3")
    found = processes.team(recipe(machines=3), PLACE)
    assert (found.index, found.count, found.devices, found.starts) == (0, 3, 3, True)
    assert found.address.startswith("127.0.0.1:")
    assert "--processes 2" in refused(machines=2)


def test_processes_of_one_machine_do_not_share_its_gpus(machine, monkeypatch):
    machine(gpus=2)
    monkeypatch.setenv(processes.PROCESSES, "2")
    assert "--device cpu" in refused(machines=2)


def test_a_batch_that_devices_do_not_divide_is_refused(machine):
    machine(gpus=8)
    assert "8 devices" in (sentence := refused())
    assert sentence.endswith("make it 16")
    assert processes.team(recipe(batch_size=16), PLACE).devices == 8


def test_without_jax_it_is_told_how_to_install_it(machine):
    machine(gpus=2, jax=False)
    assert "make .venv/jax-gpu" in refused()


def test_who_helps_writes_nothing_where_there_is_nothing_to_help_with(machine, monkeypatch):
    monkeypatch.setenv(processes.COORDINATOR, "there:1234")
    monkeypatch.setenv(processes.INDEX, "1")
    assert processes.helps()
    assert processes.team(recipe(), PLACE) == ALONE
