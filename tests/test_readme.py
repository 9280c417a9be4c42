"""The README says nothing that is not so."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from evermodel import params

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = [
    line.split("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
MAKE = [command for command in COMMANDS if command.startswith("make")]


def test_every_make_target_of_the_readme_exists_and_has_a_help_line():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for command in MAKE:
        assert re.search(rf"^  {command} ", shown, re.MULTILINE), command


@pytest.mark.pipeline
@pytest.mark.timeout(3600)
@pytest.mark.xdist_group("project")
@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in MAKE])
def test_every_command_of_the_readme_works(project, command):
    project.run("sh", "-c", command)


def test_every_experiment_has_its_row_of_results():
    rows = set(re.findall(r"^\| ([a-z0-9_]+) \|", README, re.MULTILINE))
    assert set(params.load(ROOT / "params.yaml").experiments) <= rows


def test_the_table_is_the_one_that_the_kept_results_give():
    made = subprocess.run(
        [sys.executable, "-c", "import runpy; print(runpy.run_path('docs/results.py')['table']())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout.strip() in README


@pytest.mark.parametrize("profile", ["sample", "full"])
def test_the_kept_results_are_of_every_experiment(profile):
    rows = json.loads((ROOT / f"docs/results/{profile}.json").read_text())
    assert {row["experiment"] for row in rows} == set(params.load(ROOT / "params.yaml").experiments)
    assert {row["profile"] for row in rows} == {profile}


def test_the_examples_of_yaml_are_valid():
    example = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)[0])
    (experiment,) = example.values()
    params.Experiment.model_validate(experiment)


def test_every_link_of_the_readme_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_readme_fits_three_screens():
    assert len(README.splitlines()) <= 150
