import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

from evermodel import experiments, repository, workers
from evermodel.cli import app
from evermodel.core import folders, params
from evermodel.core.errors import EvermodelError
from evermodel.datasets.source import RemoteFile
from evermodel.evaluation import judge
from evermodel.origins import local
from evermodel.publishing import registry
from evermodel.runs import determinism
from evermodel.scoring.scoring import Scored
from tests.specs import make_spec

ROOT = Path(__file__).parents[1]


@pytest.fixture
def evermodel(workspace):
    """A function that runs the command in a folder in which nothing ever ran."""
    shutil.copytree(ROOT / "pipelines", "pipelines")
    return lambda *arguments: CliRunner().invoke(app, arguments)


@pytest.fixture
def runs(workspace, monkeypatch):
    """What would have been run: the experiments, how many at a time, on what, and by how many processes."""
    started = []

    def run(chosen, jobs, device, processes):
        started.append((list(chosen), jobs, device, processes))
        return []

    monkeypatch.setattr(workers, "run", run)
    return started


def refusal(result):
    """The one sentence in which a command refuses."""
    assert result.exit_code == 1
    assert result.stdout == ""
    assert isinstance(result.exception, SystemExit), "a traceback is no sentence"
    assert result.stderr.startswith("evermodel: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_list_shows_every_experiment_before_anything_ran(evermodel, workspace):
    result = evermodel("list", "--json")
    assert result.exit_code == 0
    rows = json.loads(result.stdout)
    assert [row["experiment"] for row in rows] == list(repository.load().experiments)
    assert rows[0].keys() >= {"dataset", "model", "task", "profile", "metric", "value", "champion"}
    assert {(row["value"], row["champion"]) for row in rows} == {(None, None)}


def test_looking_makes_nothing(evermodel, workspace):
    before = sorted(workspace.rglob("*"))
    assert evermodel("list").exit_code == 0
    assert sorted(workspace.rglob("*")) == before


def test_list_is_a_table_for_people(evermodel):
    result = evermodel("list")
    assert "boston_housing (sample)" in result.stdout
    assert "fashion_cnn" in result.stdout
    assert "not evaluated" in result.stdout


def test_list_tells_of_costs_before_anything_ran(evermodel, workspace):
    before = sorted(workspace.rglob("*"))
    rows = json.loads(evermodel("list", "--cost", "--json").stdout)
    assert [row.pop("experiment") for row in rows] == list(repository.load().experiments)
    names = {"version", "gpu_hours", "cpu_hours", "total_gpu_hours", "total_cpu_hours"}
    assert rows == [dict.fromkeys(names)] * len(rows)
    assert evermodel("list", "--cost").exit_code == 0
    assert sorted(workspace.rglob("*")) == before


def test_list_shows_the_costs_of_the_newest_version_and_of_all_trainings(evermodel, monkeypatch):
    hours = {"gpu_hours": 1.5, "cpu_hours": 2.25, "total_gpu_hours": 31.5, "total_cpu_hours": 47.0}
    monkeypatch.setattr(experiments, "costs", lambda _: [{"experiment": "mine", "version": 3} | hours])
    (row,) = [line for line in evermodel("list", "--cost").stdout.splitlines() if "mine" in line]
    assert row.split() == ["mine", "3", "1.5", "2.25", "31.5", "47"]


def test_list_asks_a_tracking_server_for_the_champions_where_there_is_one(evermodel, monkeypatch):
    monkeypatch.setattr(experiments, "champions", lambda: {"boston_dnn": 3})
    champion = {row["experiment"]: row["champion"] for row in json.loads(evermodel("list", "--json").stdout)}
    assert champion["boston_dnn"] is None
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    champion = {row["experiment"]: row["champion"] for row in json.loads(evermodel("list", "--json").stdout)}
    assert (champion["boston_dnn"], champion["boston_linear"]) == (3, None)


def test_list_is_still_json_when_mlflow_is_away(evermodel, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    result = evermodel("list", "--json")
    assert len(json.loads(result.stdout)) == len(repository.load().experiments)
    assert "http://127.0.0.1:9 " in result.stderr


def test_check_finds_a_misspelled_optional_key_that_no_stage_reads(evermodel, edit):
    assert evermodel("check").exit_code == 0
    edit("experiments/boston_dnn/params.yaml", "promotion:", "workers: gpu\npromotion:")
    sentence = refusal(evermodel("check"))
    assert "experiments/boston_dnn/params.yaml: workers " in sentence
    assert "schedule, search, task, train, worker" in sentence
    assert "boston_dnn" in refusal(evermodel("list"))
    assert evermodel("check", "boston_linear", "boston_housing").exit_code == 0
    assert "boston_dnn" in refusal(evermodel("check", "boston_dnn"))


def test_check_tells_of_a_pipeline_that_is_no_copy_and_how_to_make_it_one(evermodel, workspace):
    file = Path("experiments/boston_dnn/dvc.yaml")
    file.write_text(file.read_text() + "# mine\n")
    result = evermodel("check")
    assert result.exit_code == 0
    assert (
        "for name in boston_dnn; do cp pipelines/experiment.yaml experiments/$name/dvc.yaml" in result.stderr
    )
    assert evermodel("check", "boston_linear").stderr == ""


def test_add_tells_what_it_assumed_and_doubts_and_what_it_wrote_is_right(evermodel, workspace):
    rows = [f"{n},{n % 7 / 2},{['red', 'blue', ''][n % 3]},{['yes', 'no'][n % 2]}" for n in range(1, 61)]
    Path("My Orders.csv").write_text("\n".join(["id,weight,colour,late", *rows]))
    result = evermodel("add", "My Orders.csv", "--target", "late")
    assert result.exit_code == 0, result.output
    told = result.stdout.splitlines()
    assert told[0].startswith("new: data/my_orders and experiments/my_orders_linear and ")
    assert "- dropped: id (each row has its own)" in told
    assert any(line.startswith("- empty fields: colour") for line in told[told.index("look at this:") :])
    assert told[-1] == "run them: .venv/bin/evermodel run my_orders_linear my_orders_boosting"
    assert evermodel("check", "my_orders", "my_orders_linear", "my_orders_boosting").exit_code == 0
    assert "data/my_orders is there already" in refusal(evermodel("add", "My Orders.csv", "--target", "late"))


def test_add_names_the_columns_if_the_target_is_none_of_them(evermodel):
    Path("orders.csv").write_text("weight,late\n1.5,yes\n2.5,no\n")
    for arguments in ((), ("--target", "lat")):
        assert "weight, late" in refusal(evermodel("add", "orders.csv", *arguments))
    assert not Path("data/orders").exists()


@pytest.mark.parametrize("command", [["run"], ["history"], ["serve"], ["predict", "--json"]])
def test_an_experiment_that_does_not_exist_is_refused_with_the_choices(evermodel, command):
    files = ["table.csv"] if command[0] == "predict" else []
    sentence = refusal(evermodel(*command, "nowhere", *files))
    assert "experiment is 'nowhere'" in sentence
    assert sentence.endswith(f"; the choices are {', '.join(sorted(repository.load().experiments))}\n")


@pytest.mark.parametrize("command", [["list"], ["run", "boston_dnn"], ["history", "boston_dnn"]])
def test_params_that_are_wrong_are_refused(evermodel, command):
    params.FILE.write_text("profile: tiny\n")
    assert "params.yaml: " in refusal(evermodel(*command))


def test_outside_of_the_repository_every_command_says_where_to_run(evermodel, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert "params.yaml is not here" in refusal(evermodel("list"))


def test_an_experiment_that_does_not_exist_leaves_the_profile_alone(evermodel, runs):
    refusal(evermodel("run", "boston_dnn", "nowhere", "--profile", "full"))
    assert repository.load().profile == "sample"
    assert not runs


def test_run_starts_the_pipelines_of_the_experiments_one_at_a_time(evermodel, runs):
    result = evermodel("run", "boston_dnn", "boston_linear")
    assert runs == [(["boston_dnn", "boston_linear"], 1, "auto", 1)]
    assert result.exit_code == 0
    assert "boston_linear" in result.stdout
    assert "fashion_cnn" not in result.stdout


def test_run_without_a_name_runs_every_experiment(evermodel, runs):
    evermodel("run", "-j", "3", "--device", "cpu")
    assert runs == [(list(repository.load().experiments), 3, "cpu", 1)]


def test_run_takes_the_device_from_the_environment(evermodel, runs, monkeypatch):
    monkeypatch.setenv("EVERMODEL_DEVICE", "gpu")
    evermodel("run", "boston_dnn")
    assert runs[0][2] == "gpu"


def test_run_takes_the_number_of_processes(evermodel, runs):
    evermodel("run", "boston_dnn", "--processes", "2")
    assert runs[0][3] == 2


@pytest.mark.parametrize(
    "option",
    [
        ("-j", "0"),
        ("-j", "-1"),
        ("-j", "many"),
        ("--device", "tpu"),
        ("--profile", "Full"),
        ("--processes", "0"),
    ],
)
def test_run_refuses_an_option_that_makes_no_sense(evermodel, runs, option):
    before = params.FILE.read_bytes()
    result = evermodel("run", "boston_dnn", *option)
    assert params.FILE.read_bytes() == before
    assert result.exit_code == 2
    assert f"Invalid value for '{option[0]}'" in result.stderr
    assert not runs


def test_a_run_with_a_failure_shows_the_scores_the_reason_and_ends_with_1(evermodel, runs, monkeypatch):
    failure = workers.Failure("boston_dnn", "train", "boston_dnn: too few rows")
    monkeypatch.setattr(workers, "run", lambda *_: [failure])
    result = evermodel("run", "boston_dnn")
    assert result.exit_code == 1
    assert "not evaluated" in result.stdout
    assert result.stderr == "evermodel: boston_dnn failed at train: boston_dnn: too few rows\n"


def test_run_sets_the_profile_first(evermodel, runs):
    result = evermodel("run", "boston_dnn", "--profile", "full")
    assert repository.load().profile == "full"
    assert "params.yaml says profile: full" in result.stdout
    assert "boston_housing (full)" in result.stdout


def test_setting_the_profile_changes_one_line_and_keeps_the_comments(evermodel, runs):
    before = params.FILE.read_text().splitlines()
    evermodel("run", "boston_dnn", "--profile", "full")
    after = params.FILE.read_text().splitlines()
    ((old, new),) = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert "#" in old, "or this shows nothing of comments"
    assert new.split() == old.replace("profile: sample", "profile: full", 1).split()
    evermodel("run", "boston_dnn", "--profile", "sample")
    assert params.FILE.read_text().splitlines() == before


def test_setting_the_profile_that_is_set_changes_nothing(evermodel, runs):
    before = params.FILE.read_bytes()
    evermodel("run", "boston_dnn", "--profile", "sample")
    assert params.FILE.read_bytes() == before


def test_the_history_of_an_experiment_that_was_never_registered_is_empty(evermodel):
    assert json.loads(evermodel("history", "boston_dnn", "--json").stdout) == []
    assert evermodel("history", "boston_dnn").stdout == "boston_dnn: 0 decisions\n"


def test_without_a_champion_there_is_nothing_to_predict_with(evermodel):
    for out in ((), ("--out", "scores.parquet")):
        sentence = refusal(evermodel("predict", "boston_dnn", "table.csv", *out))
        assert sentence == "evermodel: boston_dnn has no champion; `evermodel run boston_dnn` trains one\n"
        assert not list(Path().glob("scores*"))


def test_what_was_scored_is_told_in_a_sentence_or_in_json(evermodel, monkeypatch):
    done = Scored("boston_dnn", 3, "cafe", "s.parquet", 1200, 2)
    monkeypatch.setattr(experiments, "score", lambda *_: done)
    told = evermodel("predict", "boston_dnn", "t.csv", "--out", "s.parquet").stdout
    assert told == (
        "boston_dnn version 3 answered for 1,200 examples: s.parquet; 2 file(s) could not be used and are "
        "listed beside\n"
    )
    result = evermodel("predict", "boston_dnn", "t.csv", "--out", "s.parquet", "--json")
    assert json.loads(result.stdout) == {
        "model": "boston_dnn",
        "version": 3,
        "run": "cafe",
        "out": "s.parquet",
        "examples": 1200,
        "rejected": 2,
    }


def test_a_scoring_that_is_stopped_says_how_to_go_on(evermodel, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(experiments, "score", stop)
    result = evermodel("predict", "boston_dnn", "t.csv", "--out", "s.parquet")
    assert result.exit_code == 130
    assert result.stderr.startswith("evermodel: stopped; the same command goes on from here")


@pytest.mark.parametrize(
    "command",
    [
        ("promote", "boston_dnn"),
        ("reject", "boston_dnn"),
        ("rollback", "boston_dnn"),
        ("withdraw", "boston_dnn"),
        ("rebuild", "boston_dnn@champion"),
    ],
)
def test_what_was_never_registered_can_not_be_moved_or_rebuilt(evermodel, command):
    sentence = refusal(evermodel(*command))
    assert "boston_dnn was never registered; `evermodel run boston_dnn`" in sentence
    assert not Path("mlflow.db").exists()


@pytest.mark.parametrize(
    "command",
    [("rollback", "boston_dnn"), ("rebuild", "boston_dnn@champion"), ("predict", "boston_dnn", "houses.csv")],
)
def test_where_the_store_is_lost_and_the_ledger_is_not_the_way_back_is_told(evermodel, command):
    folders.ledger("boston_dnn").parent.mkdir(parents=True)
    folders.ledger("boston_dnn").write_text("")
    assert "`evermodel restore boston_dnn` brings it back" in refusal(evermodel(*command))
    assert not Path("mlflow.db").exists()


def test_restoring_tells_of_each_experiment_and_fails_if_one_can_not_be_restored(evermodel, monkeypatch):
    def told(names):
        yield from (
            EvermodelError(f"{name} has a fault") if "dnn" in name else f"{name}: back" for name in names
        )

    monkeypatch.setattr(experiments, "restore", told)
    result = evermodel("restore", "boston_dnn", "boston_linear")
    assert (result.exit_code, result.stdout) == (1, "boston_linear: back\n")
    assert result.stderr == "evermodel: boston_dnn has a fault\n"
    assert evermodel("restore", "boston_linear").exit_code == 0
    assert "experiment is 'nowhere'" in refusal(evermodel("restore", "nowhere"))


def test_the_command_of_the_folder_that_this_one_was_copied_from_is_refused(evermodel, monkeypatch, tmp_path):
    (tmp_path / "original/.venv").mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "original/.venv"))
    assert evermodel("check").exit_code == 0  # this folder has no environment of its own
    Path(".venv").mkdir()
    sentence = refusal(evermodel("check"))
    assert f"runs the code of {tmp_path / 'original'}; `make .venv/pipeline` mends" in sentence
    Path(".venv").rmdir()
    Path(".venv").symlink_to(tmp_path / "original/.venv")
    assert evermodel("check").exit_code == 0


def test_a_ledger_that_was_edited_is_told(evermodel):
    file = Path(".evermodel/ledger/boston_dnn.jsonl")
    file.parent.mkdir(parents=True)
    file.write_text("{}\n")
    assert "line 1 is no entry" in refusal(evermodel("history", "boston_dnn"))


def test_the_installed_command_ends_in_a_sentence_too(workspace):
    command = [sys.executable, "-c", "from evermodel.cli import app; app()", "history", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("evermodel: experiment is 'nowhere'")
    assert "Traceback" not in done.stderr


def test_the_reason_of_a_withdrawal_reaches_the_ledger(evermodel, monkeypatch):
    monkeypatch.setattr(experiments, "withdraw", lambda name, reason: f"{name} {reason}")
    assert evermodel("withdraw", "boston_dnn").stdout == "boston_dnn None\n"
    assert evermodel("withdraw", "boston_dnn", "--reason", "it insults").stdout == "boston_dnn it insults\n"


@pytest.mark.parametrize(("command", "asked"), [("promote", "approve"), ("reject", "reject")])
def test_the_word_about_a_winner_reaches_the_version_that_it_is_about(evermodel, monkeypatch, command, asked):
    monkeypatch.setattr(experiments, "decide", lambda name, how, version: f"{how} {name} {version}")
    assert evermodel(command, "boston_dnn").stdout == f"{asked} boston_dnn None\n"
    assert evermodel(command, "boston_dnn", "--version", "3").stdout == f"{asked} boston_dnn 3\n"


@pytest.fixture
def champion(monkeypatch, tmp_path):
    """Any experiment's champion is version 3, whose file this is."""
    file = tmp_path / "model.keras"
    file.write_bytes(b"a network")
    monkeypatch.setattr(determinism, "begin_anew", lambda: None)
    monkeypatch.setattr(experiments, "_require_champion", lambda name: SimpleNamespace(version="3"))
    monkeypatch.setattr(registry, "fetch", lambda version, folder: (file, None))
    return file


def test_a_judge_lies_beside_its_data_and_what_params_have_to_say_is_told(evermodel, champion, monkeypatch):
    monkeypatch.setattr(judge, "opened", lambda file: None)
    told = evermodel("judge", "mnist_mlp").stdout
    beside = Path("data/mnist/mnist_mlp-3.keras")
    assert beside.read_bytes() == champion.read_bytes()
    assert "weights: {judge: mnist_mlp-3.keras}" in told
    entry = yaml.safe_load(told.splitlines()[-1])[0]
    described = RemoteFile.model_validate(entry)
    assert described.path == str(beside)
    assert local.fault(beside, described) == ""


def test_what_can_not_judge_is_not_laid_anywhere(evermodel, champion, monkeypatch):
    def refuse(file):
        raise EvermodelError("model.keras is no network that ends in one dense layer")

    monkeypatch.setattr(judge, "opened", refuse)
    assert "one dense layer" in refusal(evermodel("judge", "mnist_mlp"))
    assert not list(Path("data/mnist").glob("*.keras"))


def test_images_that_are_made_of_the_rows_of_a_table_get_a_file_each(evermodel, champion, monkeypatch):
    Path("seeds.csv").write_text("seed\n3\n4\n")
    asked = make_spec("images").asked("example")
    made = lambda x: np.ones((len(x), 2, 2, 1)) * x["seed"].to_numpy()[:, None, None, None] / 10  # noqa: E731
    monkeypatch.setattr(registry, "load", lambda version, folder: (made, asked))
    rows = json.loads(evermodel("predict", "vae", "seeds.csv", "--json").stdout)
    assert [row["image"] for row in rows] == ["seeds-1.vae.png", "seeds-2.vae.png"]
    assert [np.asarray(Image.open(row["image"])).tolist()[0][0] for row in rows] == [76, 102]
