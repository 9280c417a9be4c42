"""A stage depends on every file of ours that it imports, so that nothing is silently stale, and on no other.

The two templates in pipelines/ are what every data set and every experiment has a copy of.
"""

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
import yaml

from evermodel.repository import Experiment

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/evermodel"
TEMPLATES = {"data": ROOT / "pipelines/dataset.yaml", "experiments": ROOT / "pipelines/experiment.yaml"}
STAGES = {
    name: stage
    for file in TEMPLATES.values()
    for name, stage in yaml.safe_load(file.read_text())["stages"].items()
}
# Folders of which a stage imports the file that a source or the kind of data chooses.
CHOSEN = {"fetch": ["samples"], "validate": ["expectations"]}
# What several stages share as a whole, a program that runs beside a stage, and what is asked after it.
ALLOWED = {PACKAGE / "core/catalog.py", PACKAGE / "publishing/sidecar.py", PACKAGE / "publishing/anchor.py"}


def module_file(module: str) -> Path | None:
    """The file of a module of ours."""
    path = ROOT / ("src" if module.split(".")[0] == "evermodel" else "") / module.replace(".", "/")
    found = [file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()]
    return found[0] if found and module.split(".")[0] in ("evermodel", "pipelines") else None


@cache
def imports(file: Path) -> frozenset[Path]:
    """The files of ours that a file imports, at its top or inside a function, but not for types alone."""
    tree = ast.parse(file.read_text())
    typing_only = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found for name in names if (found := module_file(name)))


def reached(starts: list[Path]) -> set[Path]:
    """All files of ours that running these files can import; empty package files aside."""
    seen: set[Path] = set()
    waiting = list(starts)
    while waiting:
        if (file := waiting.pop()) not in seen:
            seen.add(file)
            waiting += imports(file)
    return {file for file in seen if file.name != "__init__.py"}


def modules(folder: str) -> list[Path]:
    return [file for file in sorted((PACKAGE / folder).glob("*.py")) if file.name != "__init__.py"]


def deps(stage: str) -> list[Path]:
    """The files and folders of ours that a stage depends on, whatever params.yaml says."""
    named = [dep.removeprefix("../../") for dep in STAGES[stage]["deps"] if dep.startswith("../../")]
    return [ROOT / dep for dep in named if "${" not in dep]


def registries(stage: str) -> list[str]:
    """The folders of the package of which params.yaml names the one file that a stage depends on."""
    found = [dep.split("/") for dep in STAGES[stage]["deps"] if dep.endswith("}.py")]
    return [parts[-2] for parts in found]


def relative(files: Iterable[Path]) -> list[str]:
    return sorted(str(file.relative_to(ROOT)) for file in files)


def test_every_file_of_a_stage_is_found_by_following_its_imports():
    found = reached([ROOT / "pipelines/train.py"])
    assert {PACKAGE / "core/project.py", PACKAGE / "training/network.py"} <= found


@pytest.mark.parametrize("stage", STAGES)
def test_the_deps_of_a_stage_are_every_file_of_ours_that_it_imports_and_no_other(stage):
    chosen = [file for folder in CHOSEN.get(stage, []) for file in modules(folder)]
    needed = reached([ROOT / f"pipelines/{stage}.py", *chosen])
    for file in (file for folder in registries(stage) for file in modules(folder)):
        needed |= reached([file]) - {file}
    missing = [file for file in needed if not any(file == dep or dep in file.parents for dep in deps(stage))]
    assert relative(missing) == [], f"add them to the deps of {stage} in its template"
    named = [file for dep in deps(stage) for file in ([dep] if dep.is_file() else dep.rglob("*.py"))]
    ours = {file for file in named if file.suffix == ".py" and file.name != "__init__.py"}
    assert relative(ours - needed - ALLOWED) == [], f"{stage} imports none of them"


@pytest.mark.parametrize(
    ("stage", "chosen"),
    [
        ("validate", {"readers"}),
        ("prepare", {"readers"}),
        ("train", {"models", "objectives"}),
        ("evaluate", {"models", "tasks"}),
    ],
)
def test_of_what_params_choose_a_stage_depends_on_the_chosen_file_alone(stage, chosen):
    assert set(registries(stage)) == chosen


@pytest.mark.parametrize(
    ("stage", "locks"),
    [
        *((stage, {"numbers"}) for stage in ("fetch", "prepare", "train", "evaluate")),
        ("validate", {"numbers", "validation"}),
        ("promote", set()),  # what it writes down is what others made
    ],
)
def test_a_stage_depends_on_the_libraries_that_make_its_bytes(stage, locks):
    files = {
        dep.removeprefix("../../requirements/") for dep in STAGES[stage]["deps"] if dep.endswith(".lock")
    }
    assert files == {f"{lock}.lock" for lock in locks}


def test_great_expectations_is_locked_by_itself():
    def pinned(name):
        return re.findall(r"^([\w-]+)==", (ROOT / f"requirements/{name}.lock").read_text(), re.MULTILINE)

    assert pinned("validation") == ["great-expectations"]
    assert not set(pinned("pipeline")) & {*pinned("validation"), *pinned("numbers")}


def test_every_key_of_an_experiment_is_read_by_a_stage_but_for_when_and_where_it_runs():
    stages = [STAGES[stage] for stage in ("train", "evaluate", "promote")]
    read = {key for stage in stages for key in stage["params"] if isinstance(key, str)}
    read |= {key for stage in stages for key in re.findall(r"\$\{(\w+)\}", stage["cmd"])}
    assert set(Experiment.model_fields) - read == {"worker", "schedule", "search"}


@pytest.mark.parametrize("parent", TEMPLATES)
def test_every_folder_has_a_copy_of_the_template(parent):
    template = TEMPLATES[parent].read_text()
    files = [file.parent / "dvc.yaml" for file in (ROOT / parent).glob("*/params.yaml")]
    others = [file for file in files if file.read_text() != template]
    assert relative(others) == [], f"copy pipelines/{TEMPLATES[parent].name} over them"


def test_an_experiment_needs_no_more_than_eight_keys():
    assert len([field for field in Experiment.model_fields.values() if field.is_required()]) <= 8
