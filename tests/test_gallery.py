"""The gallery shows images that exist, by commands that exist, and nothing that may not be published."""

import ast
import importlib.util
import re
import shlex
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

from evermodel import cli
from evermodel.core import project
from evermodel.runs import recipe

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/evermodel"
PRIVATE = {
    "smile",
    "utkface",
    "orl_faces",
    "imdb",
    "imdb_official",
    "flowers17",
    "flowers17_imagenet",
    "flowers17_lite0",
    "oddities",
}

POINTS = {"map", "phases"}  # in which nobody sees a photograph


def load(file):
    spec = importlib.util.spec_from_file_location("gallery", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


gallery = load(ROOT / "docs/gallery.py")
each = pytest.mark.parametrize(
    "entry", gallery.ENTRIES, ids=lambda entry: f"{entry.experiment}-{entry.figure}"
)


def names_of_figures(task):
    """Every text in the code that draws: that of the task, what it shares with others, and the evaluation."""
    files = [PACKAGE / f"tasks/{task}.py", *(PACKAGE / "evaluation").glob("*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    return {node.value for node in nodes if isinstance(node, ast.Constant)}


@each
def test_every_experiment_and_figure_exists(entry, workspace):
    task = recipe.load(entry.experiment, entry.profile).task
    assert entry.drawn or entry.figure in names_of_figures(task)


@each
def test_every_command_is_understood(entry):
    program, command, *arguments = shlex.split(entry.command)
    assert program == ".venv/bin/evermodel"
    parsed = typer.main.get_command(cli.app).commands[command].make_context(command, arguments)
    assert parsed.params["names"] == [entry.experiment]
    assert (parsed.params["profile"] or "sample") == entry.profile


@each
def test_what_may_not_be_published_is_shown_of_synthetic_data(entry, workspace):
    dataset = recipe.load(entry.experiment, entry.profile).dataset
    assert entry.profile == "sample" or dataset not in PRIVATE or entry.figure in POINTS


def test_no_two_entries_share_an_image():
    files = [entry.file for entry in gallery.ENTRIES]
    assert len(set(files)) == len(files)


def test_the_page_is_of_the_images_that_are_there_and_of_no_others():
    assert gallery.PAGE.read_text() == gallery.page()
    linked = set(re.findall(r"\]\(gallery/([^)]+)\)", gallery.page()))
    assert linked == {file.name for file in gallery.IMAGES.glob("*")}
    assert all((gallery.IMAGES / name).stat().st_size <= 150_000 for name in linked)


def test_even_noise_fits_into_the_limit():
    buffer = BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (200, 950, 3), np.uint8)
    Image.fromarray(noise).save(buffer, "png")
    assert len(gallery.small(buffer.getvalue())) <= gallery.LIMIT


def test_a_missing_report_is_named_with_the_command_that_makes_it(workspace, capsys):
    shutil.copy(ROOT / "docs/gallery.py", workspace)
    assert load(workspace / "gallery.py").main() == 1
    said = capsys.readouterr().err.splitlines()
    wanted = [entry for entry in gallery.ENTRIES if entry.profile == project.load().profile]
    assert len(said) == len(wanted)
    for line, entry in zip(said, wanted, strict=True):
        assert f"run `{entry.command}`" in line
    assert (workspace / "gallery.md").read_text() == gallery.HEAD
