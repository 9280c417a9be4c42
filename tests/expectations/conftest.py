from collections.abc import Callable

import pandas as pd
import pytest

from evermodel import validation
from evermodel.core import data
from evermodel.core.params import Dataset

Broken = Callable[[dict, str, pd.DataFrame], list[str]]


@pytest.fixture
def broken() -> Broken:
    """The expectations that a manifest breaks, each as "severity: sentence"."""

    def of(settings: dict, kind: str, manifest: pd.DataFrame) -> list[str]:
        split = {"method": "shuffle", "test": 0.2, "validation": 0.1}
        dataset = Dataset.model_validate({"source": "somewhere", "split": split, **settings})
        report = validation.validate("some", dataset, data.Raw(kind, manifest))
        return [f"{one.severity}: {one}" for one in report.findings if not one.success]

    return of
