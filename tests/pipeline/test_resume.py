"""A training that is killed goes on, and ends with the bytes of an undisturbed one."""

import hashlib
import signal
import time

import pytest

pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(5000)]


def test_kill_9_in_mid_training_costs_no_byte(edited):
    model = edited.folder / "models/boston_dnn/model.keras"
    undisturbed = hashlib.sha256(model.read_bytes()).hexdigest()
    checkpoints = edited.folder / ".evermodel/checkpoints"
    training = edited.start("dvc", "repro", "--force", "--single-item", "train@boston_dnn")
    deadline = time.monotonic() + 300
    while not list(checkpoints.glob("*/0002*.npz")):
        assert training.poll() is None, "the training ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    edited.kill_group(training, signal.SIGKILL)
    assert not model.exists()
    again = edited.run("dvc", "repro", "--force", "--single-item", "train@boston_dnn")
    assert "going on after epoch" in again.stdout
    assert hashlib.sha256(model.read_bytes()).hexdigest() == undisturbed
    assert not list(checkpoints.glob("*"))
