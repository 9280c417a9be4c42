import shutil
from contextlib import chdir
from pathlib import Path

import pytest

from evermodel.core import folders
from pipelines import fetch, prepare

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def houses(tmp_path_factory):
    """The sample of boston_housing, prepared."""
    folder = tmp_path_factory.mktemp("houses")
    shutil.copy(ROOT / "params.yaml", folder)
    for name in ("data", "experiments"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("raw", "prepared", "model"))
    with chdir(folder):
        fetch.main("boston_housing")
        prepare.main("boston_housing")
    return folder / folders.prepared("boston_housing")


@pytest.fixture
def boston(trainable, houses):
    """A copy of the settings, in which boston_housing is prepared, but for its test rows."""
    shutil.copytree(houses, folders.prepared("boston_housing"), ignore=shutil.ignore_patterns("test"))
    return trainable
