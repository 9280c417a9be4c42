"""The table that ends every `dvc repro`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from evermodel import leaderboard
from evermodel.core import folders

HEAVY = ("dvc", "keras", "mlflow", "numpy", "pandas", "pydantic", "sklearn", "tensorflow", "typer")


def write(file, *lines):
    """Write JSON, a line each."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def row(name):
    """The row of an experiment."""
    return next(row for row in leaderboard.rows() if row["experiment"] == name)


def test_it_imports_nothing_that_takes_time():
    heavy = f"print(sorted(set({HEAVY}) & set(sys.modules)))"
    command = [sys.executable, "-c", f"import sys; from pipelines import leaderboard; {heavy}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    assert done.stdout == "[]\n"


def test_an_experiment_that_never_ran_is_not_evaluated(workspace, capsys):
    found = row("boston_dnn")
    assert (found["value"], found["seconds"], found["champion"], found["waiting"]) == (
        None,
        None,
        None,
        False,
    )
    leaderboard.show([found])
    assert "not evaluated" in capsys.readouterr().out


def test_the_score_the_seconds_and_the_champion_are_those_that_the_stages_wrote(workspace, capsys):
    folder = folders.experiment("boston_dnn")
    figures = {"mae": 2.3456, "mae_low": 2.1, "mae_high": 2.6, "baseline_mae": 3.5}
    write(folder / "metrics.json", figures)
    write(folders.model("boston_dnn") / "training.json", {"key": "cafe"})
    killed = {"event": "killed", "stage": "train"}
    ends = [
        {"event": "end", "stage": stage, "seconds": n} for stage, n in (("train", 7.0), ("evaluate", 1.0))
    ]
    write(folders.journal("cafe"), killed, *ends, {"event": "end", "stage": "train", "seconds": 99.0})
    with folders.journal("cafe").open("a") as journal:
        journal.write('{"event": "epoch", "figures": {"epoch": 1}\n')  # torn, and ended by the next writer
    write(folders.ledger("boston_dnn"), {"after": 1}, {"after": 2})
    with folders.ledger("boston_dnn").open("a") as ledger:
        ledger.write('{"after": 3, "numbers": {}')
    found = row("boston_dnn")
    assert [found[key] for key in ("value", "low", "high", "baseline")] == [2.3456, 2.1, 2.6, 3.5]
    assert (found["seconds"], found["champion"]) == (7.0, 2)
    leaderboard.show([found])
    assert "mae 2.346 [2.1, 2.6]" in capsys.readouterr().out


def test_what_waits_to_be_handed_in_says_so_and_how(workspace, capsys):
    write(folders.experiment("boston_dnn") / "promotion.json", {"handed_in": False})
    write(folders.experiment("boston_linear") / "promotion.json", {"handed_in": True})
    leaderboard.show(leaderboard.rows())
    told = capsys.readouterr().out
    assert "`evermodel run boston_dnn`" in told
    assert "`evermodel run boston_linear`" not in told


@pytest.mark.parametrize(
    ("edition", "synthetic", "profile"),
    [("sample", True, "sample"), ("breiman", True, "sample"), ("uci", False, "full")],
)
def test_a_score_is_of_the_profile_that_its_data_are_of(workspace, edition, synthetic, profile):
    write(folders.prepared("boston_housing") / "spec.json", {"edition": edition, "synthetic": synthetic})
    assert row("boston_dnn")["profile"] == profile, "synthetic in either profile: that of the one that runs"


def test_the_rows_of_some_experiments_come_as_they_are_named(workspace):
    names = ["boston_linear", "boston_dnn"]
    assert [row["experiment"] for row in leaderboard.rows(names)] == names
