import shutil
from pathlib import Path

import pytest
import yaml

from evermodel.core import catalog
from evermodel.core.project import Runtime
from evermodel.runs.recipe import Recipe
from evermodel.training import training

ROOT = Path(__file__).parents[2]
RUNTIME = Runtime(seed=1, threads=1, instruction_set="AVX2")
RECIPE = Recipe(
    dataset="made", task="regression", model="linear", options={}, baseline="constant", train=None
)


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    """A copy of our code beside a lock file, which a test may edit."""
    shutil.copytree(catalog.PACKAGE, tmp_path / "package")
    monkeypatch.setattr(catalog, "PACKAGE", tmp_path / "package")
    monkeypatch.setattr(training, "LOCK", tmp_path / "numbers.lock")
    training.LOCK.write_text("numpy==1")
    return tmp_path / "package"


def key(name="mine", prepared=Path("nowhere"), **changes):
    return training.key(name, RECIPE.model_copy(update=changes), RUNTIME, prepared)


@pytest.mark.parametrize(
    "file",
    [
        "models/linear.py",
        "objectives/regression.py",
        "training/estimator.py",
        "training/network.py",
        "core/data.py",
        "runs/saved.py",
    ],
)
def test_an_edit_of_the_code_that_trains_it_makes_another_training(package, file):
    before = key()
    (package / file).write_text((package / file).read_text() + "# edited\n")
    assert key() != before


@pytest.mark.parametrize(
    "file",
    ["models/mlp.py", "objectives/binary.py", "publishing/promotion.py", "evaluation/statistics.py"],
)
def test_an_edit_of_any_other_code_does_not(package, file):
    before = key()
    (package / file).write_text((package / file).read_text() + "# edited\n")
    assert key() == before


def test_other_data_values_versions_or_another_experiment_make_another_training(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x.npy").write_bytes(b"data")
    keys = [key(), key("yours"), key(prepared=tmp_path / "data"), key(model="mlp"), key(options={"a": 1})]
    training.LOCK.write_text("numpy==2")
    assert len({*keys, key()}) == 6


def test_another_baseline_is_the_same_training():
    assert key(baseline="linear") == key()


def test_its_code_and_versions_are_what_the_stage_depends_on(monkeypatch):
    monkeypatch.undo()
    deps = yaml.safe_load((ROOT / "pipelines/experiment.yaml").read_text())["stages"]["train"]["deps"]
    files = {dep.removeprefix("../../") for dep in deps}
    ours = {file.removeprefix("src/evermodel/") for file in files if file.startswith("src/evermodel/")}
    assert ours == {*training.CODE, "models/${model}.py", "objectives/${task}.py"}
    assert str(training.LOCK) in files
