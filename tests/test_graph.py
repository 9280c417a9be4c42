"""dvc.yaml names every file of ours that a stage imports, so that nothing is ever silently stale."""

import ast
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
# Folders whose files are chosen by a name in params.yaml or sources.yaml, at run time.
REGISTRIES = {"fetch": ["samples"], "validate": ["expectations", "readers"], "prepare": ["readers"]}


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


def test_every_file_of_a_stage_is_found_by_following_its_imports():
    assert ROOT / "src/evermodel/core/params.py" in reached([ROOT / "pipelines/train.py"])
    assert ROOT / "src/evermodel/training/network.py" in reached([ROOT / "pipelines/train.py"])


@pytest.mark.parametrize("stage", STAGES)
def test_the_deps_of_a_stage_cover_every_file_that_it_imports(stage):
    deps = [ROOT / dep for dep in STAGES[stage]["do"]["deps"] if "${" not in dep]
    chosen = [
        file
        for folder in REGISTRIES.get(stage, [])
        for file in (ROOT / "src/evermodel" / folder).glob("*.py")
        if file.name != "__init__.py"
    ]
    needed = reached([ROOT / "pipelines" / f"{stage}.py", *chosen])
    missing = [f for f in sorted(needed) if not any(f == dep or dep in f.parents for dep in deps)]
    assert not missing, (
        f"add to the deps of {stage} in dvc.yaml: {[str(f.relative_to(ROOT)) for f in missing]}"
    )


@pytest.mark.parametrize("stage", STAGES)
def test_the_deps_of_a_stage_name_no_file_of_ours_that_it_does_not_import(stage):
    deps = [ROOT / dep for dep in STAGES[stage]["do"]["deps"] if dep.endswith(".py") and "${" not in dep]
    package = ROOT / "src/evermodel"
    chosen = [*package.glob("readers/*.py"), *package.glob("samples/*.py"), *package.glob("tasks/*.py")]
    assert set(deps) <= reached([ROOT / "pipelines" / f"{stage}.py", *chosen])


@pytest.mark.parametrize("folder", ["models", "tasks"])
def test_a_file_named_in_params_imports_nothing_of_ours_that_no_dep_names(folder):
    stage = {"models": "train", "tasks": "evaluate"}[folder]
    deps = [ROOT / dep for dep in STAGES[stage]["do"]["deps"] if "${" not in dep]
    for file in (ROOT / "src/evermodel" / folder).glob("*.py"):
        others = reached([file]) - {file}
        assert not [f for f in others if not any(f == dep or dep in f.parents for dep in deps)], file


def test_training_names_the_files_that_params_choose():
    train, evaluate = STAGES["train"]["do"]["deps"], STAGES["evaluate"]["do"]["deps"]
    assert "src/evermodel/models/${item.model}.py" in train
    assert {"src/evermodel/models/${item.baseline}.py", "src/evermodel/tasks/${item.task}.py"} <= set(
        evaluate
    )
