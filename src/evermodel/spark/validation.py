"""What is expected of single rows of a table, held against all of them by Great Expectations on Spark."""

import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import great_expectations as gx
import pandas as pd
import pyarrow as pa

from evermodel import validation
from evermodel.core import fields
from evermodel.core.columns import Column
from evermodel.core.data import Raw
from evermodel.datasets.dataset import Dataset
from evermodel.expectations import sample
from evermodel.expectations.merging import Merged
from evermodel.expectations.sample import Look, Sample
from evermodel.spark import reading, session
from evermodel.spark.session import Cluster
from evermodel.validation import Manifest

E = gx.expectations
ROW = "row"  # the column of rows' numbers
OTHER = "_other"  # what the column of fields of another kind has behind its name
MORE = 4  # times as many rows as are looked at together


@contextmanager
def opened(name: str, dataset: Dataset, raw: Raw) -> Iterator["Rows"]:
    """All rows of a table, which workers of Spark read; it is stopped at the end."""
    with session.started(name) as cluster:
        yield Rows(dataset, reading.in_parts(raw, cluster), cluster)


@dataclass(frozen=True)
class Rows:
    """As validation.Rows has it. parts: of the table, which are read side by side."""

    dataset: Dataset
    parts: list[Raw]
    cluster: Cluster

    def take(self) -> Sample:
        """What the rows show, and those of them that one process would have taken."""
        limit = self._limit()
        found = self._look(limit)
        if found.some.limit == limit < sample.HIGHEST:  # rows are copies of some with high hashes
            found = self._look(sample.HIGHEST)
        return found.sample()

    def examine(self, merged: Merged, columns: Mapping[str, Column], manifest: Manifest) -> None:
        """Hold what is expected of single rows against all of them.

        Of a column with a field of another kind only that is told, as of a small table. Rows are counted for
        all expectations at once; the first ones are looked for where some break one.
        """
        names = {name: f"column_{number}" for number, name in enumerate(merged.columns)}
        texts = {of: columns[name].kind in fields.TEXTS for name, of in names.items()}
        rows = self._manifest(names, texts, manifest)
        asset = validation.context().data_sources.add_spark("raw").add_dataframe_asset("manifest")
        batches = asset.add_batch_definition_whole_dataframe("all")

        def results(expectations: Sequence[Any], **form: Any) -> list[dict[str, Any]]:
            """What became of them, in their order."""
            asked = [_renamed(one, names) for one in expectations]
            suite = gx.ExpectationSuite(name="rows", expectations=asked)
            done = validation.evaluated(suite, rows, batches, **form).results
            found = {(one.expectation_config.type, *_about(one.expectation_config)): one for one in done}
            in_order = [found[one.configuration.type, *_about(one.configuration)] for one in asked]
            return [{"success": one.success, **one.result} for one in in_order]

        counted = results(merged.single, result_format="BASIC", partial_unexpected_count=0)
        broken = [
            one for one, result in zip(merged.single, counted, strict=True) if result["unexpected_count"]
        ]
        odd = {one.column for one in broken if _is_of_kind(one)}
        shown = iter(results(broken, unexpected_index_column_names=[ROW]) if broken else ())
        for one, result in zip(merged.single, counted, strict=True):
            found = next(shown) if result["unexpected_count"] else result
            places = found.get("partial_unexpected_index_list") or ()
            found["partial_unexpected_index_list"] = [place[ROW] for place in places]
            if _is_of_kind(one) == (one.column in odd):
                merged.tell(one.configuration, found)

    def _limit(self) -> int:
        """On the hashes of rows that may be looked at together: above it there are too many for certain."""
        table, limit = self.parts[-1].table, sample.HIGHEST
        assert table is not None, "parts are of tables"
        while table.start * limit > MORE * sample.most_rows(len(table.columns)) * sample.HIGHEST:
            limit //= 2
        return limit

    def _look(self, limit: int) -> Look:
        dataset = self.dataset  # workers can't have the cluster
        looks = self.cluster.map(lambda one: sample.look(one, dataset, limit), self.parts)
        found = next(looks)
        for one in looks:
            found.merge(one)
        return found

    def _manifest(self, names: Mapping[str, str], texts: Mapping[str, bool], manifest: Manifest) -> Any:
        """All rows as a data frame of Spark's: their numbers, what they are, and what is of another kind."""
        kinds = {of: pa.string() if is_text else pa.float64() for of, is_text in texts.items()}
        others = {of + OTHER: pa.string() for of, is_text in texts.items() if not is_text}
        schema = pa.schema({ROW: pa.int64()} | kinds | others)

        def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for part in (pickle.loads(one) for batch in batches for one in batch["part"].to_pylist()):
                for piece in part.pieces():
                    rows = manifest(piece[list(names)]).rename(columns=names)
                    yield pa.RecordBatch.from_pydict(_columns(rows, texts), schema)

        from pyspark.sql.pandas.types import from_arrow_schema

        session, parts = self.cluster.session, [(pickle.dumps(one),) for one in self.parts]
        every = session.createDataFrame(session.sparkContext.parallelize(parts, len(parts)), "part binary")
        return every.mapInArrow(read, from_arrow_schema(schema))


def _columns(rows: pd.DataFrame, texts: Mapping[str, bool]) -> dict[str, pa.Array]:
    """The columns of typed rows; what is text in a column of numbers has one of its own."""
    found = {ROW: pa.array(rows.index, pa.int64())}
    for of, is_text in texts.items():
        if is_text:
            found[of] = pa.array(rows[of], pa.string(), from_pandas=True)
            continue
        other = rows[of].map(lambda value: isinstance(value, str)) if rows[of].dtype == object else None
        numbers = rows[of] if other is None else rows[of].mask(other).astype(float)
        found[of] = pa.array(numbers, pa.float64(), from_pandas=True)
        found[of + OTHER] = (
            pa.nulls(len(rows), pa.string())
            if other is None
            else pa.array(rows[of].where(other), pa.string(), from_pandas=True)
        )
    return found


def _renamed(expectation: Any, names: Mapping[str, str]) -> Any:
    """The same, of a column of `_manifest`: those of users have dots and the like, which Spark interprets."""
    of = names[expectation.column]
    if not _is_of_kind(expectation):
        return expectation.copy(update={"column": of})
    return E.ExpectColumnValuesToBeNull(column=of + OTHER, description=expectation.description)


def _is_of_kind(expectation: Any) -> bool:
    return isinstance(expectation, E.ExpectColumnValuesToBeOfType)


def _about(config: Any) -> tuple[str, str]:
    return config.kwargs["column"], config.description
