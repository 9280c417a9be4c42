"""The environments that make builds are those of this folder, also after it was moved or copied."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.fixture
def folder(tmp_path):
    """A project with two environments in which everything is installed, as far as make can see."""
    made = tmp_path / "my project"
    shutil.copytree(ROOT / "requirements", made / "requirements")
    for file in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / file, made)
    for environment, stamps in ((".venv", ["pipeline", "serving", "dev"]), (".venv-airflow", ["installed"])):
        (made / environment / "bin").mkdir(parents=True)
        told = f"home = /usr/bin\ncommand = /usr/bin/python3 -m venv {made / environment}\n"
        (made / environment / "pyvenv.cfg").write_text(told)
        for stamp in stamps:
            (made / environment / stamp).touch()
    return made


def planned(folder, target):
    """What make would do for a target, also where make runs the tests."""
    make = ["make", "--dry-run", f"PYTHON={sys.executable}", target]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(make, cwd=folder, env=alone, capture_output=True, text=True, check=True).stdout


def test_an_environment_in_its_place_is_left_alone(folder):
    assert "is up to date" in planned(folder, ".venv/dev")
    assert "is up to date" in planned(folder, ".venv-airflow/installed")


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_one_that_came_along_from_another_folder_is_built_anew(folder, tmp_path, how):
    there = tmp_path / "there"
    shutil.copytree(folder, there) if how == "copied" else folder.rename(there)
    for target in (".venv/pipeline", ".venv/dev", "run"):
        steps = planned(there, target).splitlines()
        assert steps[0] == "rm -rf .venv"
        assert any(line.endswith("-m venv .venv") for line in steps)
    steps = planned(there, ".venv-airflow/installed").splitlines()
    assert {"rm -rf .venv", "rm -rf .venv-airflow"} <= set(steps)


def test_one_that_several_checkouts_share_is_in_its_place(folder, tmp_path):
    shutil.copytree(folder, there := tmp_path / "there")
    for environment in (".venv", ".venv-airflow"):
        shutil.rmtree(there / environment)
        (there / environment).symlink_to(folder / environment)
    assert "is up to date" in planned(there, ".venv/dev")


def test_one_of_which_nobody_knows_where_it_was_made_is_left_alone(folder):
    (folder / ".venv/pyvenv.cfg").write_text("home = /usr/bin\nuv = 0.9\n")
    assert "is up to date" in planned(folder, ".venv/pipeline")
