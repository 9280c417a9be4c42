"""What an edit costs: DVC runs what depends on it, and nothing else."""

import re

import pytest
import yaml

from tests.project import ROOT

pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(5000)]
LANES = ("promote@boston_dnn", "promote@boston_linear", "promote@mnist_mlp")


def test_editing_a_plot_runs_evaluations_only(edited):
    edited.edit("src/evermodel/tasks/regression.py", 'page("residuals"', 'page("errors"')
    assert set(edited.repro(*LANES)) == {"evaluate@boston_dnn", "evaluate@boston_linear"}


def test_editing_a_promotion_rule_runs_that_promotion_only(edited):
    edited.edit("params.yaml", "ceiling: 4.0", "ceiling: 3.9")
    assert edited.repro(*LANES) == ["promote@boston_dnn"]


def test_editing_promotion_runs_promotions_only(edited):
    edited.edit(
        "src/evermodel/publishing/promotion.py",
        "does not beat the baseline's",
        "is no better than the baseline's",
    )
    assert set(edited.repro("--dry", *LANES)) == set(LANES)


def test_editing_an_architecture_trains_only_the_experiments_that_use_it(edited):
    edited.edit("src/evermodel/models/conv_stack.py", '"""A small stack', '"""A little stack')
    running = edited.repro("--dry")
    assert [stage for stage in running if stage.startswith("train@")] == ["train@fashion_cnn"]


def test_editing_the_tracking_code_trains_nothing(edited):
    edited.edit("src/evermodel/publishing/tracking.py", "RETRY = 3.0", "RETRY = 4.0")
    assert set(edited.repro("--dry", *LANES)) == set(LANES)


def test_a_new_experiment_and_its_architecture_are_eight_lines_and_a_file_that_the_tests_pick_up(edited):
    (edited.folder / "src/evermodel/models/wide.py").write_text(
        '''"""One wide hidden layer."""

from collections.abc import Sequence

import keras

REFERENCES = [((4,), 1, {"width": 8}, 49)]

def build(input_shape: Sequence[int], outputs: int, activation: str | None, *, width: int) -> keras.Model:
    """Dense of `width` with ReLU, then the head."""
    inputs = keras.Input(input_shape)
    x = keras.layers.Dense(width, activation="relu")(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, keras.layers.Dense(outputs, activation=activation)(x), name="wide")
'''
    )
    lines = """
  boston_wide:
    dataset: boston_housing
    task: regression
    model: wide
    options: {width: 64}
    baseline: linear
    train: {optimizer: adam, learning_rate: 0.01, batch_size: 32, epochs: 60}
    promotion: {metric: mae, ceiling: 8.0}
"""
    assert len(lines.strip().splitlines()) <= 8
    with (edited.folder / "params.yaml").open("a") as stream:
        stream.write(lines)
    stages = [f"{stage}@boston_wide" for stage in ("train", "evaluate", "promote")]
    assert edited.repro("promote@boston_wide") == stages
    assert "boston_wide" in edited.run("evermodel", "list").stdout
    tests = edited.run(
        "python", "-m", "pytest", "-v", "tests/models", "tests/test_graph.py", "-k", "wide or graph"
    )
    for known in ("test_references.py", "test_zoo.py", "test_graph.py"):
        assert re.search(rf"{known}.* PASSED", tests.stdout)


def test_every_experiment_of_the_repository_fits_in_eight_lines():
    text = (ROOT / "params.yaml").read_text()
    experiments = text[text.index("\nexperiments:") :].split("\n\n")
    names = yaml.safe_load(text)["experiments"]
    blocks = [block.replace("\nexperiments:\n", "") for block in experiments]
    assert len(blocks) == len(names)
    lines = [
        [line for line in block.splitlines() if line.strip() and "worker:" not in line] for block in blocks
    ]
    assert max(map(len, lines)) <= 8  # and a ninth for who should train it
