"""Trainings on two machines, which are two processes here, for real: no GPU, no network but loopback."""

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from evermodel.core import data
from evermodel.runs import saved
from tests.conftest import ROOT
from tests.project import commit

pytestmark = [pytest.mark.all, pytest.mark.timeout(1800)]
NAMES = ("mnist_mlp", "fashion_cnn", "imdb_dnn")
DATA = {"mnist_mlp": "mnist", "fashion_cnn": "fashion_mnist", "imdb_dnn": "imdb"}
LIMIT = 1e-5  # of the difference of any weight, or of a loss
ROUNDING = 1e-3  # of the size of all weights: another order of sums, grown by the steps of an epoch
BOUND = 240  # seconds in which all processes of a training have ended when one of them was killed
TRAIN = "experiments/mnist_mlp/dvc.yaml:train"


@pytest.fixture(scope="module", autouse=True)
def jax():
    if importlib.util.find_spec("jax") is None:
        assert not os.environ.get("CI"), "JAX is not here, and CI asks for its tests"
        pytest.skip("JAX is not here; `make .venv/jax` installs it")


@pytest.fixture(scope="module")
def own(project, tmp_path_factory):
    """A copy of the project, with an experiment on texts beside."""
    made = project.copied(tmp_path_factory.mktemp("machines"))
    made.add("imdb_dnn", (ROOT / "experiments/imdb_dnn/params.yaml").read_text())
    yield made
    shutil.rmtree(made.folder, ignore_errors=True)


def address():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


def machine(project, out, devices=1, **environment):
    """A process that trains the three models, alone or with others."""
    known = project.environment(**environment)
    known["PYTHONPATH"] = os.pathsep.join(["src", str(ROOT)])
    script = str(ROOT / "tests/pipeline/machine.py")
    command = [sys.executable, script, str(out), str(devices), *NAMES]
    return subprocess.Popen(command, cwd=project.folder, env=known)


@pytest.fixture(scope="module")
def trained(own, tmp_path_factory):
    """The folders of what one process has made, two that Kubernetes could have started, and one that has two
    devices, as a processor can have them for JAX."""
    folders = [tmp_path_factory.mktemp(name) for name in ("alone", "together", "devices")]
    where = {"EVERMODEL_COORDINATOR": address()}
    two = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    started = [machine(own, folders[0], KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")]
    started += [machine(own, folders[1], JOB_COMPLETION_INDEX=str(index), **where) for index in range(2)]
    started += [machine(own, folders[2], devices=2, **two)]
    assert [one.wait(900) for one in started] == [0, 0, 0, 0]
    return folders


def weights(file):
    with np.load(file) as arrays:
        return [arrays[name] for name in arrays.files]


def flat(arrays):
    """All weights in a row, without the states of random numbers, which are whole numbers."""
    return np.concatenate([array.ravel().astype(float) for array in arrays if array.dtype.kind == "f"])


@pytest.mark.parametrize("name", NAMES)
def test_two_machines_have_the_same_weights_to_the_bit(trained, name):
    first, second = (weights(trained[1] / name / f"{index}.npz") for index in range(2))
    assert all(one.tobytes() == other.tobytes() for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_two_machines_learn_what_one_does(trained, name):
    one, two = (flat(weights(folder / name / "0.npz")) for folder in trained[:2])
    difference = np.linalg.norm(one - two) / np.linalg.norm(one)
    print(f"{name}: the weights differ by {difference:.1g} of their size")
    assert difference <= ROUNDING


@pytest.mark.parametrize("name", NAMES)
def test_two_machines_learn_to_the_bit_what_two_devices_of_one_do(trained, name):
    machines, devices = (weights(folder / name / "0.npz") for folder in trained[1:])
    assert all(one.tobytes() == other.tobytes() for one, other in zip(machines, devices, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_the_first_alone_writes_checkpoints(trained, name):
    assert len(list((trained[1] / name / "state").glob("*.npz"))) == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_model_answers_the_same_on_tensorflow(own, trained, name):
    (last,) = json.loads((trained[1] / name / "history.json").read_text())
    with own.inside():
        rows = data.load(own.folder / "data" / DATA[name] / "prepared", "class", "validation")
        answers = np.squeeze(saved.predictor(trained[1] / name / "model.keras")(rows.splits["validation"].x))
    y = rows.splits["validation"].y
    right = np.where(y == 1, answers, 1 - answers) if answers.ndim == 1 else answers[np.arange(len(y)), y]
    assert -np.log(right).mean() == pytest.approx(last["val_loss"], abs=LIMIT)


def machines(project):
    """The processes of a running training by their index."""
    found = {}
    for process in psutil.process_iter(["cmdline", "cwd"]):
        if "pipelines.train" in (process.info["cmdline"] or ()) and process.info["cwd"] == str(
            project.folder
        ):
            found[int(process.environ().get("JOB_COMPLETION_INDEX", 0))] = process
    return found


def kill_in_mid_training(project, which):
    """Kill one of two processes after two more epochs, and wait for the end of the other."""
    checkpoints = project.folder / ".evermodel/checkpoints"
    before = set(checkpoints.glob("*/*.npz"))
    training = project.start("dvc", "repro", "--force", "--single-item", TRAIN, EVERMODEL_PROCESSES="2")
    found: dict[int, psutil.Process] = {}
    for ready in (
        lambda: found.update(machines(project)) or len(found) == 2,
        lambda: len(set(checkpoints.glob("*/*.npz")) - before) == 2,
    ):
        deadline = time.monotonic() + 600
        while not ready():
            assert training.poll() is None, "the training ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.02)
    killed = time.monotonic()
    found[which].send_signal(signal.SIGKILL)
    assert training.wait(BOUND) != 0
    _, alive = psutil.wait_procs(found.values(), BOUND)
    print(f"both ended {time.monotonic() - killed:.0f} s after {which} was killed")
    assert not alive


def test_a_training_on_two_machines_ends_as_one_on_one(own):
    """The whole pipeline; then one process is killed, and the next try goes on to the same weights."""
    before = json.loads((own.folder / "experiments/mnist_mlp/metrics.json").read_text())
    own.edit("experiments/mnist_mlp/params.yaml", "batch_size: 128", "batch_size: 128, machines: 2")
    commit(own, "Two machines")
    refused = own.run("evermodel", "run", "mnist_mlp", check=False)
    assert refused.returncode == 1
    assert "--processes 2" in refused.stderr
    own.run("evermodel", "run", "--processes", "2", "mnist_mlp")
    after = json.loads((own.folder / "experiments/mnist_mlp/metrics.json").read_text())
    assert before["accuracy_low"] <= after["accuracy"] <= before["accuracy_high"]
    model = own.folder / "experiments/mnist_mlp/model/model.keras"
    with own.inside():
        undisturbed = weights_of(model)
    for which in (1, 0):
        kill_in_mid_training(own, which)
        assert not model.exists()
    rebuilt = json.loads(own.run("evermodel", "rebuild", "mnist_mlp@2", "--json").stdout)
    assert rebuilt["comparison"]["verdict"] == "EXACT"
    again = own.run("dvc", "repro", "--force", "--single-item", TRAIN, EVERMODEL_PROCESSES="2")
    assert "going on after epoch" in again.stdout
    with own.inside():
        differences = [np.abs(a - b).max() for a, b in zip(undisturbed, weights_of(model), strict=True)]
    assert max(differences) <= LIMIT


def weights_of(model):
    from evermodel.runs import determinism

    return determinism.keras().saving.load_model(model, compile=False).get_weights()
