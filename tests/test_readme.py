"""The README says nothing that is not so."""

import re
import runpy
import subprocess
from pathlib import Path

import pytest
import yaml

from evermodel.core import params

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = [
    line.split("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
RESULTS = runpy.run_path(str(ROOT / "docs/results.py"))
MAKE = [command for command in COMMANDS if command.startswith("make")]


def test_every_make_target_of_the_readme_exists_and_has_a_help_line():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for command in MAKE:
        assert re.search(rf"^  {command} ", shown, re.MULTILINE), command


@pytest.mark.pipeline
@pytest.mark.timeout(5000)
@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in MAKE])
def test_every_command_of_the_readme_works(project, command):
    project.run("sh", "-c", command)


def test_every_experiment_is_named():
    named = set(re.findall(r"`([a-z0-9_]+)`", README))
    assert set(params.load(ROOT / "params.yaml").experiments) <= named


def test_the_tables_are_those_that_the_kept_results_give():
    excerpt = re.search(r"<!-- results -->\n(.*)\n<!-- /results -->", README, re.DOTALL)[1]
    assert excerpt == RESULTS["table"](*RESULTS["EXCERPT"])
    assert (ROOT / "docs/results.md").read_text() == RESULTS["page"]()


def test_every_experiment_has_its_row_of_results():
    rows = re.findall(r"^\| ([a-z0-9_]+) \| (\w+) \|", RESULTS["table"](), re.MULTILINE)
    experiments = params.load(ROOT / "params.yaml").experiments
    assert dict(rows[1:]) == {name: one.promotion.metric for name, one in experiments.items()}
    assert set(RESULTS["EXCERPT"]) <= set(experiments)


def test_every_experiment_has_run_on_the_embedded_data():
    assert set(RESULTS["_rows"]("sample")) == set(params.load(ROOT / "params.yaml").experiments)


def test_a_row_without_full_result_says_why():
    published = yaml.safe_load((ROOT / "docs/results/published.yaml").read_text())
    absent = {name for name, known in published.items() if "absent" in known}
    assert set(RESULTS["_rows"]("full")) == set(published) - absent


def test_the_examples_of_yaml_are_valid():
    experiment, dataset = (
        next(iter(yaml.safe_load(block).values()))
        for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    )
    for profile in ("full", "sample"):
        params.Experiment.model_validate(params.for_profile(experiment, profile))
    params.Dataset.model_validate(dataset)


def test_every_reader_is_named():
    assert set(params.modules("readers")) <= set(re.findall(r"`([a-z0-9_]+)`", README))


def test_every_link_of_the_readme_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_readme_fits_three_screens():
    assert len(README.splitlines()) <= 150
