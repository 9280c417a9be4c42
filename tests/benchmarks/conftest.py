import json

import pytest

from evermodel.core import folders, project
from evermodel.runs import recipe
from pipelines import evaluate, fetch, prepare, train


@pytest.fixture
def results(trainable):
    """The folder of kept results, beside the raw sample of boston_housing."""
    folder = trainable / "docs/results"
    folder.mkdir(parents=True)
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
