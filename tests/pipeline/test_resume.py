"""A training that is killed goes on, and ends with the bytes of an undisturbed one."""

import hashlib
import signal
import time

import pytest

pytestmark = [pytest.mark.spine, pytest.mark.timeout(1200)]
TRAIN = "experiments/boston_dnn/dvc.yaml:train"


def test_kill_9_in_mid_training_costs_no_byte(edited):
    model = edited.folder / "experiments/boston_dnn/model/model.keras"
    undisturbed = hashlib.sha256(model.read_bytes()).hexdigest()
    checkpoints = edited.folder / ".evermodel/checkpoints"
    training = edited.start("dvc", "repro", "--force", "--single-item", TRAIN)
    deadline = time.monotonic() + 300
    while not list(checkpoints.glob("*/0002*.npz")):
        assert training.poll() is None, "the training ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    edited.kill_group(training, signal.SIGKILL)
    assert not model.exists()
    again = edited.run("dvc", "repro", "--force", "--single-item", TRAIN)
    assert "going on after epoch" in again.stdout
    assert hashlib.sha256(model.read_bytes()).hexdigest() == undisturbed
    assert not list(checkpoints.glob("*"))
