"""What an edit makes stale.

DVC is asked in a copy in which every stage has run, with commands that learn nothing.
"""

import json
import shutil
from contextlib import chdir

import pytest

from benchmarks.growth import STAND_IN
from evermodel.training import identity
from tests.project import Project, commit, copy_repository

pytestmark = [pytest.mark.spine, pytest.mark.timeout(600)]
# Two of one data set, a task and a model of their own each; a scikit-learn model and two networks.
NAMES = ("boston_dnn", "boston_linear", "fashion_cnn", "letter_mlp")
DATA = ("fetch", "validate", "prepare")
DATASETS = ("boston_housing", "fashion_mnist", "letter_recognition")


def stages(*names: str, of: tuple[str, ...] = NAMES) -> set[str]:
    parent = "data" if set(of) & set(DATASETS) else "experiments"
    return {f"{parent}/{one}/dvc.yaml:{stage}" for one in of for stage in names}


NOTHING: set[str] = set()
EVERYTHING = stages("train", "evaluate", "promote") | stages(*DATA, of=DATASETS)
TABLES = ("boston_housing", "letter_recognition")
HOUSES = ("boston_dnn", "boston_linear")
DNN, LINEAR, CNN, BOSTON = ("boston_dnn",), ("boston_linear",), ("fashion_cnn",), ("boston_housing",)
LINEAR_PARAMS, BOSTON_PARAMS = "experiments/boston_linear/params.yaml", "data/boston_housing/params.yaml"
# The file, what stands there and what afterwards, and what becomes stale; "" is the end of the file.
EDITS = {
    "promotion rule": (LINEAR_PARAMS, "ceiling: 6", "ceiling: 5", stages("promote", of=LINEAR)),
    "schedule": (LINEAR_PARAMS, "", "schedule: {cron: 0 3 * * *}\n", NOTHING),
    "worker": (LINEAR_PARAMS, "", "worker: gpu\n", NOTHING),
    "epochs": ("experiments/boston_dnn/params.yaml", "full: 100", "full: 101", stages("train", of=DNN)),
    "profile": ("params.yaml", "profile: sample", "profile: full", EVERYTHING),
    "seed": ("params.yaml", "seed: 42", "seed: 43", stages("train", "evaluate")),
    "split": (BOSTON_PARAMS, "seed: 113", "seed: 114", stages("validate", "prepare", of=BOSTON)),
    "source": (BOSTON_PARAMS, "name: uci", "name: mine", stages(*DATA, of=BOSTON)),
    "plot": ("src/evermodel/tasks/regression.py", "", "# edited\n", stages("evaluate", of=HOUSES)),
    "objective": ("src/evermodel/objectives/regression.py", "", "# edited\n", stages("train", of=HOUSES)),
    "architecture": ("src/evermodel/models/cnn.py", "", "# edited\n", stages("train", of=CNN)),
    "baseline": ("src/evermodel/models/constant.py", "", "# edited\n", stages("evaluate", of=LINEAR)),
    "reader": ("src/evermodel/readers/table.py", "", "# edited\n", stages("validate", "prepare", of=TABLES)),
    "sample": ("src/evermodel/samples/houses.py", "", "# edited\n", stages("fetch", of=DATASETS)),
    "publishing": ("src/evermodel/publishing/promotion.py", "", "# edited\n", stages("promote")),
    "training": ("src/evermodel/training/network.py", "", "# edited\n", stages("train")),
    "evaluation": ("src/evermodel/evaluation/figures.py", "", "# edited\n", stages("evaluate")),
    "serving": ("src/evermodel/serving/app.py", "", "# edited\n", NOTHING),
    "scheduling": ("src/evermodel/scheduling/schedule.py", "", "# edited\n", NOTHING),
    "what computes numbers": (
        "requirements/numbers.lock", "", "# edited\n",
        stages("train", "evaluate") | stages("fetch", "validate", "prepare", of=DATASETS),
    ),
    "Great Expectations": ("requirements/validation.lock", "", "# edited\n", stages("validate", of=DATASETS)),
    "tools": ("requirements/pipeline.lock", "", "# edited\n", NOTHING),
}  # fmt: skip


@pytest.fixture(scope="module")
def stood_in(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which every stage of a few experiments has run, in no time."""
    made = copy_repository(tmp_path_factory.mktemp("edit") / "project")
    made.keep(*NAMES)
    (made.folder / "pipelines/stage.sh").write_text(STAND_IN)
    assert set(made.repro()) == EVERYTHING | {"leaderboard"}
    commit(made, "What DVC wrote")
    return made


@pytest.fixture
def project(stood_in: Project):
    """It; after the test it is again as it was committed."""
    yield stood_in
    stood_in.run("git", "checkout", "--quiet", ".")
    stood_in.run("git", "clean", "--quiet", "-fd")


def keys(project: Project) -> dict[str, str]:
    """The keys of the trainings."""
    with chdir(project.folder):
        return {name: identity.key(name) for name in NAMES}


def stale(project: Project) -> set[str]:
    """The stages that have changed themselves; those that follow do only if the outputs are others."""
    status = json.loads(project.run("dvc", "status", "--json").stdout)
    return set(status) - {"leaderboard"}  # which always runs


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_makes_stale_what_depends_on_it_and_nothing_else(project, what):
    file, old, new, expected = EDITS[what]
    text, before = (project.folder / file).read_text(), keys(project)
    assert old in text, f"{old!r} does not stand in {file}"
    (project.folder / file).write_text(text.replace(old, new, 1) if old else text + new)
    assert stale(project) == expected
    trained = {name for name, key in keys(project).items() if key != before[name]}
    assert stages("train", of=tuple(trained)) == expected & stages("train"), "its key says otherwise than DVC"


def test_the_range_of_a_column_called_size_is_seen(project):
    """To DVC's cache of runs a key of that name is a fact about a file, of which it takes no notice."""
    params = project.folder / BOSTON_PARAMS
    text = params.read_text()
    for high in (1, 2):
        params.write_text(text.replace("ranges: {CRIM", f"ranges: {{size: [0, {high}], CRIM"))
        assert {*stages("validate", "prepare", of=BOSTON)} <= set(project.repro())


def test_new_files_make_nothing_stale(project):
    for folder in ("tasks", "objectives", "models", "readers"):
        package = project.folder / "src/evermodel" / folder
        (package / "of_mine.py").write_text('"""Mine."""\n')
    assert stale(project) == NOTHING


def test_a_new_experiment_is_all_that_has_to_run(project):
    project.add("boston_mine", project.params("boston_linear").read_text())
    assert stale(project) == stages("train", "evaluate", "promote", of=("boston_mine",))


def test_deleting_the_folder_deletes_the_experiment(project):
    shutil.rmtree(project.folder / "experiments/fashion_cnn")
    assert stale(project) == NOTHING
    assert project.repro() == ["leaderboard"]
