"""The tutorial does what it says, from top to bottom; the page about data names every key."""

import json
import re
from pathlib import Path

import pytest
import yaml

from evermodel.core import catalog, params
from evermodel.datasets import dataset, source

ROOT = Path(__file__).parents[1]
TUTORIAL = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
DATA = (ROOT / "docs/data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", TUTORIAL, re.DOTALL)
ADDED = ("wine_linear", "wine_boosting", "patches_cnn")
SECTIONS = {
    "data/NAME/params.yaml": dataset.Dataset,
    "Columns": dataset.Declared,
    "Source": source.Source,
    "Editions": source.Edition,
    "Files": source.RemoteFile,
    "Query": source.Query,
    "Sample": source.Sample,
    "Split": dataset.Split,
    "Expect": dataset.Expect,
}


def section(title):
    """The text below a heading, up to the next one."""
    return re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", DATA, re.DOTALL | re.MULTILINE)[1]


@pytest.mark.parametrize(("title", "model"), SECTIONS.items())
def test_every_key_is_explained_and_every_key_that_is_explained_exists(title, model):
    explained = re.findall(r"^\| `(\w+)` \|", section(title), re.MULTILINE)
    assert sorted(explained) == sorted(model.model_fields)


def test_the_options_of_tables_are_explained_and_those_of_other_readers_exist():
    text = section("Options of readers")
    explained = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert sorted(explained) == sorted(catalog.reader_options("table"))
    examples = text.partition("```yaml")[2].partition("```")[0].split("reader:")[1:]
    for example in examples:
        found = yaml.safe_load(f"reader:{example}")
        assert set(found["options"]) <= set(catalog.reader_options(found["reader"]))


def test_the_example_is_a_data_set():
    example = re.search(r"```yaml\n(name:.*?)```", DATA, re.DOTALL)[1]
    dataset.Dataset(**yaml.load(example, Loader=params.Loader))


@pytest.mark.all
@pytest.mark.timeout(5000)
def test_two_new_data_sets_go_from_file_to_champion(edited):
    tracked = edited.run("git", "ls-files").stdout
    shown = "".join(edited.run("sh", "-ec", block).stdout for block in BLOCKS)
    assert "dropped: id (each row has its own)" in shown
    rows = {row["experiment"]: row for row in json.loads(edited.run("evermodel", "list", "--json").stdout)}
    for name in ADDED:
        assert rows[name]["champion"] == 1
        assert not rows[name]["synthetic"]
    assert_only_folders_are_new(edited, tracked)


def assert_only_folders_are_new(project, tracked):
    """Nothing that was there before is another, and Git would add files of folders that are new."""
    assert project.run("git", "diff", "--name-only").stdout == ""
    new = project.run("git", "ls-files", "--others", "--exclude-standard").stdout.split()
    assert not set(new) & set(tracked.split())
    folders = {str(Path(file).parent) for file in new}
    names = (*(f"experiments/{name}" for name in (*ADDED, "patches_deep_cnn")), "data/wine", "data/patches")
    assert folders == set(names)
