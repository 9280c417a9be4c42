"""docs/safeguards.md names tests that there are."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/safeguards.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| point |")]
TESTS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


@pytest.mark.parametrize(("file", "name"), sorted(set(TESTS)), ids=lambda part: Path(part).stem)
def test_a_test_that_is_named_exists(file, name):
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_point_names_its_tests_or_says_that_there_is_none():
    assert ROWS
    for row in ROWS:
        *_, tests = row.strip("| ").split(" | ")
        assert re.fullmatch(r"(`tests/[\w/]+\.py::test_\w+`(, )?)+|none yet .*", tests), row
