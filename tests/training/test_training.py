import shutil
from pathlib import Path

import pytest
import yaml

from evermodel.core import params
from evermodel.training import training

ROOT = Path(__file__).parents[2]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of our code, which a test may edit."""
    shutil.copytree(params.PACKAGE, tmp_path / "package")
    monkeypatch.setattr(params, "PACKAGE", tmp_path / "package")
    return tmp_path / "package"


def key(name="boston_linear", prepared=Path("nowhere")):
    values = params.load(ROOT / "params.yaml")
    return training.key(values.experiment(name), values.runtime, prepared)


@pytest.mark.parametrize(
    "file",
    ["models/linear.py", "learners/estimator.py", "learners/network.py", "core/data.py", "runs/saved.py"],
)
def test_an_edit_of_the_code_that_trains_it_makes_another_training(package, file):
    before = key()
    (package / file).write_text((package / file).read_text() + "# edited\n")
    assert key() != before


@pytest.mark.parametrize("file", ["models/mlp.py", "publishing/promotion.py", "judging/statistics.py"])
def test_an_edit_of_any_other_code_does_not(package, file):
    before = key()
    (package / file).write_text((package / file).read_text() + "# edited\n")
    assert key() == before


def test_other_data_or_values_make_another_training(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"data")
    assert len({key(), key(prepared=tmp_path), key("boston_dnn")}) == 3


def test_its_code_is_what_the_stage_depends_on():
    deps = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]["train"]["do"]["deps"]
    ours = {dep.removeprefix("src/evermodel/") for dep in deps if dep.startswith("src/evermodel/")}
    assert ours == {*training.CODE, "models/${item.model}.py"}
