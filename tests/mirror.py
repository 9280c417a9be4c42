"""Real data, where this machine has them."""

import os
from contextlib import chdir
from pathlib import Path

import pytest

from evermodel import fetching
from evermodel.datasets import dataset, source
from evermodel.datasets.source import Provenance

ROOT = Path(__file__).parents[1]
needs_mirror = pytest.mark.skipif(
    fetching.MIRROR not in os.environ, reason=f"{fetching.MIRROR} is not set: the real data are not here"
)


def real(name: str, folder: Path) -> Provenance:
    """Put the real files of a data set into a folder."""
    with chdir(ROOT):
        fetching.fetch(name, dataset.load(name, "full").source, "full", folder)
    return source.provenance(folder)
