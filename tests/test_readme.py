"""The README says nothing that is not so."""

import ast
import re
import runpy
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from evermodel import repository
from evermodel.core import catalog

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    shlex.join(shlex.split(line, comments=True))
    for language, block in BLOCKS
    if language == "sh"
    for line in block.splitlines()
]
MAKE = [command for command in COMMANDS if command.startswith("make")]
PAGES = sorted(page for where in ("*.md", "dags/*.md", "docs/**/*.md") for page in ROOT.glob(where))
LINK = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)")
RESULTS = runpy.run_path(str(ROOT / "docs/results.py"))
PUBLISHED = yaml.safe_load((ROOT / "docs/results/published.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def experiments(workspace):
    return repository.load().experiments


def test_every_make_target_of_the_readme_exists_and_has_a_help_line():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for command in MAKE:
        assert re.search(rf"^  {command} ", shown, re.MULTILINE), command


@pytest.mark.all
@pytest.mark.timeout(5000)
@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in MAKE])
def test_every_command_of_the_readme_works(edited, command):
    edited.run("sh", "-c", command)


def test_every_experiment_of_the_zoo_exists(experiments):
    zoo = README.split("## The zoo")[1].split("\n## ")[0]
    assert set(re.findall(r"`([a-z0-9_]+)`", zoo)) <= set(experiments)


def test_every_folder_and_file_of_the_tree_exists():
    tree = next(block for language, block in BLOCKS if not language)
    for path in re.findall(r"^([\w/.]+)", tree, re.MULTILINE):
        assert (ROOT / path).exists(), path
    for folder, template in (("data/fashion_mnist", "dataset"), ("experiments/fashion_cnn", "experiment")):
        stages = yaml.safe_load((ROOT / f"pipelines/{template}.yaml").read_text())["stages"]
        drawn = tree.split(folder)[1].split("\n└")[0]
        assert " → ".join(stages) in drawn


def test_the_tables_are_those_that_the_kept_results_give():
    excerpt = re.search(r"<!-- results -->\n(.*)\n<!-- /results -->", README, re.DOTALL)[1]
    assert excerpt == RESULTS["table"](*RESULTS["EXCERPT"])
    assert (ROOT / "docs/results.md").read_text(encoding="utf-8") == RESULTS["page"]()


def test_every_row_of_results_is_of_an_experiment_and_of_its_metric(experiments):
    assert {name: row["metric"] for name, row in PUBLISHED.items()} == {
        name: experiments[name].promotion.metric for name in PUBLISHED
    }
    assert set(RESULTS["EXCERPT"]) <= set(PUBLISHED)


def test_every_row_has_a_result_of_the_embedded_data():
    assert set(PUBLISHED) <= set(RESULTS["_rows"]("sample"))


def test_a_row_without_full_result_says_why():
    absent = {name for name, known in PUBLISHED.items() if "absent" in known}
    assert set(PUBLISHED) - set(RESULTS["_rows"]("full")) == absent


def test_the_example_of_an_experiment_is_valid_and_short(workspace):
    example = next(block for language, block in BLOCKS if language == "yaml")
    assert len(example.splitlines()) <= 8
    folder = workspace / "experiments/my_mlp"
    folder.mkdir()
    shutil.copy(ROOT / "pipelines/experiment.yaml", folder / "dvc.yaml")
    (folder / "params.yaml").write_text(example)
    epochs = [repository.experiment("my_mlp", profile).train.epochs for profile in ("full", "sample")]
    assert f"`{{full: {epochs[0]}, sample: {epochs[1]}}}`" in README


def test_a_signature_that_is_shown_is_one_that_is_taken():
    shown = [ast.parse(f"{text}: ...").body[0].args for text in re.findall(r"`(def build\(.*?)`", README)]
    assert {tuple(one.arg for one in args.args) for args in shown} == set(catalog.GIVEN.values())
    assert all(args.kwonlyargs for args in shown)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for target, heading in LINK.findall(page.read_text(encoding="utf-8")):
        file = page.parent / target if target else page
        assert file.exists(), target
        assert not heading or heading in headings(file), f"{target}#{heading}"


def headings(file):
    """What GitHub makes of a page's headings, for links to them."""
    found = re.findall(r"^#+ (.*)", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in found}


def test_the_readme_fits_three_screens():
    assert len(README.splitlines()) <= 150
