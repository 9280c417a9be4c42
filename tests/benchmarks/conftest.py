import json
from pathlib import Path

import pytest

from evermodel.core import folders, project
from evermodel.runs import recipe
from pipelines import evaluate, fetch, prepare, train

ROOT = Path(__file__).parents[2]


@pytest.fixture
def edit(workspace):
    """A function that replaces a text which stands in a file."""

    def replace(name, old, new):
        file = workspace / name
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new, 1))

    return replace


@pytest.fixture
def results(workspace):
    """The folder of kept results, beside the raw sample of boston_housing."""
    folder = workspace / "docs/results"
    folder.mkdir(parents=True)
    for part in ("pipelines", "requirements", "src"):  # what a training depends on
        (workspace / part).symlink_to(ROOT / part)
    fetch.main("boston_housing")
    return folder


@pytest.fixture
def by_the_pipeline(results):
    """A function that says what the stages measure of an experiment, as params.yaml is now."""

    def measured(name):
        prepare.main(recipe.load(name, project.load().profile).dataset)
        train.main(name)
        evaluate.main(name)
        return json.loads((folders.experiment(name) / "metrics.json").read_text())

    return measured
