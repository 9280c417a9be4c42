import shutil
from pathlib import Path

import pytest
import yaml

from evermodel.runs import determinism
from evermodel.training import identity
from evermodel.training.processes import Team
from tests.conftest import ROOT
from tests.settings import EXPERIMENT, put, refusal

TRAIN = yaml.safe_load((ROOT / "pipelines/experiment.yaml").read_text())["stages"]["train"]
CHOSEN = {"${dataset}": "houses", "${model}": "mlp", "${task}": "regression"}


def named(dep):
    """A dependency of the template, as that of the experiment."""
    for key, value in CHOSEN.items():
        dep = dep.replace(key, value)
    return Path(dep.removeprefix("../../"))


DEPS = [named(dep) for dep in TRAIN["deps"]]
PREPARED = Path("data/houses/prepared")


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """A repository with one experiment, whose data are prepared."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(determinism, "device", lambda: "cpu")
    for folder in ("src", "pipelines", "requirements"):
        shutil.copytree(ROOT / folder, folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for file in (".dvcignore", "params.yaml"):
        shutil.copy(ROOT / file, file)
    for split in ("train", "test"):
        (PREPARED / split).mkdir(parents=True)
        (PREPARED / split / "x.npy").write_text(split)
    write()
    return tmp_path


def write(name="mine", **changes):
    put(f"experiments/{name}", EXPERIMENT | {"name": name}, changes)
    shutil.copy("pipelines/experiment.yaml", f"experiments/{name}/dvc.yaml")


def edit(file):
    file.write_bytes(file.read_bytes() + b"# edited\n")


def test_the_same_is_the_same_wherever_the_repository_lies(project, monkeypatch):
    before = identity.key("mine")
    shutil.copytree(project, project / "elsewhere/here", ignore=shutil.ignore_patterns("elsewhere"))
    monkeypatch.chdir(project / "elsewhere/here")
    assert identity.key("mine") == before


@pytest.mark.parametrize("dep", DEPS, ids=str)
def test_an_edit_of_any_dependency_makes_another_training(dep):
    before = identity.key("mine")
    files = [dep] if dep.is_file() else [file for file in dep.rglob("*") if file.is_file()]
    for file in files:
        content = file.read_bytes()
        edit(file)
        assert identity.key("mine") != before, file
        file.write_bytes(content)
    assert identity.key("mine") == before


@pytest.mark.parametrize("dep", [dep for dep in DEPS if not dep.suffix], ids=str)
def test_so_does_a_file_that_comes_or_goes_or_gets_another_name(dep):
    before = identity.key("mine")
    new = dep / "new"
    new.write_text("x")
    with_it = identity.key("mine")
    new.rename(dep / "renamed")
    assert len({before, with_it, identity.key("mine")}) == 3


def test_an_edit_of_all_other_files_does_not():
    before = identity.key("mine")
    others = [
        file
        for file in Path().rglob("*")
        if file.is_file() and not any(file == dep or dep in file.parents for dep in DEPS)
    ]
    params = [file for file in others if file.name in ("params.yaml", "dvc.yaml")]
    for file in set(others) - set(params):
        edit(file)
    assert len(others) > 100
    for file in params:  # a comment
        edit(file)
    assert identity.key("mine") == before


@pytest.mark.parametrize("file", ["__pycache__/data.cpython-311.pyc", "data.pyc", "x.partial"])
def test_what_dvc_ignores_is_ignored(file):
    before = identity.key("mine")
    found = Path("src/evermodel/core", file)
    found.parent.mkdir(exist_ok=True)
    found.write_text("x")
    assert identity.key("mine") == before


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("options.units", [8, 9]),
        ("train.epochs", {"full": 10, "sample": 2}),
        ("train.keep", "best"),
        ("model", "linear"),
        ("task", "binary"),
        ("train", {}),
    ],
)
def test_another_value_that_is_trained_with_makes_another_training(path, value):
    before = identity.key("mine")
    write(**{path: value})
    assert identity.key("mine") != before


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("promotion.ceiling", 3.0),
        ("promotion.approval", "manual"),
        ("schedule", {"cron": "30 4 * * 1", "owner": "somebody"}),
        ("worker", "gpu"),
        ("baseline", "constant"),
    ],
)
def test_who_trains_it_when_and_how_it_is_judged_does_not(path, value):
    before = identity.key("mine")
    write(**{path: value})
    assert identity.key("mine") == before


@pytest.mark.parametrize(("old", "new"), [("seed: 42", "seed: 43"), ("profile: sample", "profile: full")])
def test_another_value_of_all_experiments_makes_another_training(old, new):
    before = identity.key("mine")
    shared = Path("params.yaml")
    shared.write_text(shared.read_text().replace(old, new))
    assert identity.key("mine") != before


def test_two_experiments_that_differ_in_policy_alone_are_two_trainings():
    write("yours", **{"promotion.ceiling": 3.0})
    assert identity.key("yours") != identity.key("mine")


def test_another_device_makes_another_training(monkeypatch):
    before = identity.key("mine")
    monkeypatch.setattr(determinism, "device", lambda: "gpu")
    assert identity.key("mine") != before


def test_several_devices_make_another_training_and_one_makes_the_same():
    before = identity.key("mine")
    assert identity.key("mine", Team()) == before
    found = [identity.key("mine", team) for team in (Team(devices=2), Team(0, 2, 2), Team(0, 2, 4))]
    assert len({before, *found}) == 4
    others = Team(1, 2, 2, "there:1", starts=False), Team(0, 2, 2, "127.0.0.1:2", starts=True)
    assert [identity.key("mine", team) for team in others] == [found[1]] * 2


def test_what_a_pipeline_of_ones_own_declares_counts_too():
    before = identity.key("mine")
    own = Path("experiments/mine/dvc.yaml")
    Path("more.txt").write_text("a")
    lock = "      - ../../requirements/numbers.lock\n"
    own.write_text(own.read_text().replace(lock, f"{lock}      - ../../more.txt\n", 1))
    with_it = identity.key("mine")
    edit(Path("more.txt"))
    assert len({before, with_it, identity.key("mine")}) == 3


def test_a_whole_file_of_params_may_be_declared():
    own = Path("experiments/mine/dvc.yaml")
    own.write_text(own.read_text().replace("      - dataset\n", "      - params.yaml:\n", 1))
    before = identity.key("mine")
    put("experiments/mine", EXPERIMENT, {"worker": "gpu"})
    assert identity.key("mine") != before


def test_a_missing_dependency_is_named():
    shutil.rmtree(PREPARED)
    assert refusal(identity.key, "mine").startswith(f"{PREPARED} is missing; ")


@pytest.mark.parametrize("text", ["stages: {}", "vars: []", "stages: {train: {cmd: x}}"])
def test_a_pipeline_without_such_a_stage_is_refused(text):
    Path("experiments/mine/dvc.yaml").write_text(text)
    assert refusal(identity.key, "mine").startswith("experiments/mine/dvc.yaml has no stage `train` ")
