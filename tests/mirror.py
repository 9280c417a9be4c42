"""Real data, where this machine has them."""

import os
from pathlib import Path

import pytest

from evermodel import fetching, sources
from evermodel.sources import Provenance

ROOT = Path(__file__).parents[1]
needs_mirror = pytest.mark.skipif(
    fetching.MIRROR not in os.environ, reason=f"{fetching.MIRROR} is not set: the real data are not here"
)


def real(name: str, folder: Path) -> Provenance:
    """Put the real files of a source into a folder."""
    fetching.fetch(name, sources.load(name, ROOT / "data/sources.yaml"), "full", folder)
    return sources.provenance(folder)
