import os

import pytest

from tests.spark import cluster


@pytest.fixture(scope="session")
def two_workers(tmp_path_factory):
    """The address of a cluster; without what it needs the test is skipped, and where CI is set it fails."""
    if told := cluster.missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(told)
    with cluster.started(tmp_path_factory.mktemp("cluster")) as master:
        yield master


@pytest.fixture
def on_workers(two_workers, monkeypatch):
    """Spark is that cluster for this test."""
    monkeypatch.setenv("EVERMODEL_SPARK", two_workers)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    return two_workers
