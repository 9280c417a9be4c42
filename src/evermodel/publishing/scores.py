"""The scores of one model on the test rows, as `evaluate` wrote them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from evermodel.core import data
from evermodel.core.errors import EvermodelError
from evermodel.evaluation.statistics import GROUP, Statistic


@dataclass(frozen=True)
class Scores:
    """table: a row per test row; test_hash: of what was asked; statistics: how headlines follow from it.

    sha256: of the file that they were read from.
    """

    table: pd.DataFrame
    test_hash: str
    statistics: Mapping[str, Statistic]
    sha256: str = ""

    @classmethod
    def read(cls, file: Path) -> "Scores":
        """A scores.parquet; EvermodelError if it is none, or does not say what rows it is of."""
        try:
            table = pq.read_table(file)
            known = {key.decode(): value for key, value in (table.schema.metadata or {}).items()}
            how = json.loads(known["statistics"])
            test_hash = known["test_hash"].decode()
        except (KeyError, ValueError, OSError, pa.ArrowException):
            raise EvermodelError(
                f"{file} does not hold scores of known test rows; evaluate the model again"
            ) from None
        statistics = {name: Statistic.model_validate(one) for name, one in how.items()}
        return cls(table.to_pandas(self_destruct=True), test_hash, statistics, data.file_hash(file))

    @property
    def baseline(self) -> "Scores":
        """Those of the baseline, which stand beside the model's as baseline_<column>."""
        beside = self.table.filter(regex="^baseline_").rename(
            columns=lambda name: name.removeprefix("baseline_")
        )
        shared = self.table.columns.intersection(["target", GROUP])
        return replace(self, table=beside.join(self.table[shared]))
