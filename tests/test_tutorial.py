"""The tutorial does what it says, from top to bottom."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TUTORIAL = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TUTORIAL, re.DOTALL)
# What params.yaml is to hold, by its path in the first line.
PARAMS = dict(
    re.match(r"# (\S+)\n(.*)", block, re.DOTALL).groups() for language, block in BLOCKS if language == "yaml"
)


@pytest.mark.parametrize("dataset", ["wine", "patches"])
def test_a_data_set_and_its_experiment_are_at_most_as_many_lines_as_promised(dataset):
    promised = int(re.search(r"at most (\d+) lines", TUTORIAL)[1])
    own = [lines for path, lines in PARAMS.items() if Path(path).parts[1].startswith(dataset)]
    assert len(own) == 2
    assert sum(len(lines.splitlines()) for lines in own) <= promised


@pytest.mark.all
@pytest.mark.timeout(5000)
def test_two_new_data_sets_go_from_file_to_champion(edited):
    tracked = edited.run("git", "ls-files").stdout
    shown = ""
    for language, block in BLOCKS:
        if language == "yaml":
            path = re.match(r"# (\S+)", block)[1]
            (edited.folder / path).write_text(block)
        else:
            shown += edited.run("sh", "-ec", block).stdout
    for digest in re.findall(r"sha256: (\w+)", TUTORIAL):
        assert digest in shown
    rows = {row["experiment"]: row for row in json.loads(edited.run("evermodel", "list", "--json").stdout)}
    for name in ("wine_linear", "patches_cnn"):
        assert rows[name]["champion"] == 1
        assert not rows[name]["synthetic"]
    assert_only_folders_are_new(edited, tracked)


def assert_only_folders_are_new(project, tracked):
    """Nothing that was there before is another, and Git would add three files of each folder."""
    assert project.run("git", "diff", "--name-only").stdout == ""
    new = project.run("git", "ls-files", "--others", "--exclude-standard").stdout.split()
    assert not set(new) & set(tracked.split())
    assert sorted(new) == sorted(
        f"{folder}/{file}"
        for folder in {str(Path(path).parent) for path in PARAMS}
        for file in ("dvc.lock", "dvc.yaml", "params.yaml")
    )
