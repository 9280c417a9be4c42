from collections.abc import Callable

import pandas as pd
import pytest

from evermodel import validation
from evermodel.core import data
from tests.preparing.tables import in_pieces
from tests.specs import make_dataset

Broken = Callable[[dict, str, pd.DataFrame], list[str]]


@pytest.fixture
def broken() -> Broken:
    """The expectations that a manifest breaks, each as "severity: sentence"."""

    def of(settings: dict, kind: str, manifest: pd.DataFrame) -> list[str]:
        raw = in_pieces(manifest, 65_536) if kind == "table" else data.Raw(kind, manifest)
        report = validation.validate("some", make_dataset(**settings), raw)
        return [f"{one.severity}: {one}" for one in report.findings if not one.success]

    return of
