"""What is new is a folder, or a file: it runs, and the tests pick it up."""

import re

import pytest

pytestmark = [pytest.mark.spine, pytest.mark.timeout(1200)]
MODEL = '''"""One wide hidden layer."""

from collections.abc import Sequence

import keras

REFERENCES = [((4,), 1, {"width": 8}, 49)]


def build(input_shape: Sequence[int], outputs: int, activation: str | None, *, width: int) -> keras.Model:
    """Dense of `width` with ReLU, then the head."""
    inputs = keras.Input(input_shape)
    x = keras.layers.Dense(width, activation="relu")(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, keras.layers.Dense(outputs, activation=activation)(x), name="wide")
'''
EXPERIMENT = """name: boston_wide
dataset: boston_housing
task: regression
model: wide
options: {width: 64}
baseline: constant
train: {optimizer: adam, learning_rate: 0.01, batch_size: 32, epochs: 5}
promotion: {metric: mae, ceiling: 20.0}
"""


def test_a_new_experiment_is_a_folder_and_its_architecture_a_file(edited):
    assert len(EXPERIMENT.splitlines()) <= 8
    (edited.folder / "src/evermodel/models/wide.py").write_text(MODEL)
    edited.add("boston_wide", EXPERIMENT)
    stages = [f"experiments/boston_wide/dvc.yaml:{stage}" for stage in ("train", "evaluate", "promote")]
    assert edited.repro() == [*stages, "leaderboard"]
    assert "boston_wide" in edited.run("evermodel", "list").stdout
    changed = edited.run("git", "status", "--porcelain").stdout.split()
    assert changed == ["??", "experiments/boston_wide/", "??", "src/evermodel/models/wide.py"]
    files = ("tests/models/test_references.py", "tests/test_graph.py")
    tests = edited.run("python", "-m", "pytest", "-v", *files, "-k", "wide or graph")
    for file in files:
        assert re.search(rf"{file}.* PASSED", tests.stdout)
