"""The tutorial does what it says, from top to bottom."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TUTORIAL = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TUTORIAL, re.DOTALL)
ADDED = [block.split("\n", 1) for language, block in BLOCKS if language == "yaml"]
PLACES = {
    "# data/sources.yaml, at its end": ("data/sources.yaml", ""),
    "# params.yaml, under datasets:": ("params.yaml", "datasets:\n"),
    "# params.yaml, under experiments:": ("params.yaml", "experiments:\n"),
}


def add(project, place, lines):
    file, section = PLACES[place]
    text = (project.folder / file).read_text()
    project.edit(file, section or text, f"{section or text}{lines}")


@pytest.mark.parametrize("source", ["wine", "patches"])
def test_a_data_set_and_its_experiment_are_at_most_twenty_lines(source):
    own = [lines for _, lines in ADDED if lines.split(":")[0].strip().startswith(source)]
    assert len(own) == 3
    assert sum(len(lines.splitlines()) for lines in own) <= 20


@pytest.mark.pipeline
@pytest.mark.timeout(5000)
def test_two_new_data_sets_go_from_file_to_champion(edited):
    shown = ""
    for language, block in BLOCKS:
        if language == "yaml":
            add(edited, *block.split("\n", 1))
        else:
            shown += edited.run("sh", "-ec", block).stdout
    for digest in re.findall(r"sha256: (\w+)", TUTORIAL):
        assert digest in shown
    rows = {row["experiment"]: row for row in json.loads(edited.run("evermodel", "list", "--json").stdout)}
    for name in ("wine_linear", "patches_cnn"):
        assert rows[name]["champion"] == 1
        assert not rows[name]["synthetic"]
