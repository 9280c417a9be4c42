"""The project of `make test`, to be edited."""

from collections.abc import Iterator

import pytest

from tests.project import Project, restored


@pytest.fixture
def edited(spine: Project) -> Iterator[Project]:
    """The project of two experiments, which goes back to its commit after the test."""
    yield from restored(spine)
