"""A data set that Spark prepares, by DVC as a user runs it."""

import pytest

from tests.project import copy_repository

pytestmark = [pytest.mark.all, pytest.mark.timeout(900)]
LANES = ("data/boston_housing/dvc.yaml", "experiments/boston_linear/dvc.yaml:evaluate")


@pytest.fixture(scope="module")
def settings(two_workers):
    return {"EVERMODEL_SPARK": two_workers, "SPARK_LOCAL_IP": "127.0.0.1"}


@pytest.fixture(scope="module")
def on_spark(settings, tmp_path_factory):
    """A project whose table is split by hash on a cluster of two workers, after a run up to an evaluation."""
    made = copy_repository(tmp_path_factory.mktemp("spark") / "project")
    made.keep("boston_linear")
    made.edit(
        "data/boston_housing/params.yaml", "split: {method: shuffle", "engine: spark\nsplit: {method: hash"
    )
    made.stages = made.repro(*LANES, **settings)
    return made


def test_its_stages_are_those_of_any_data_set(on_spark):
    names = [stage.rpartition(":")[2] for stage in on_spark.stages]
    assert names == ["fetch", "validate", "prepare", "train", "evaluate"]


def test_everything_again_leaves_the_locks_as_they_are(on_spark, settings):
    files = [on_spark.folder / lane.partition(":")[0].replace(".yaml", ".lock") for lane in LANES]
    before = [file.read_bytes() for file in files]
    assert len(on_spark.repro("--force", *LANES, **settings)) == len(on_spark.stages)
    assert before == [file.read_bytes() for file in files]
