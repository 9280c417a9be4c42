"""A table on a cluster of two workers is told about, split and checked as one process does it."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evermodel import validation
from evermodel.core import data
from evermodel.core.data import Layout, Raw
from evermodel.core.errors import EvermodelError
from evermodel.expectations import sample
from evermodel.formats import tables
from evermodel.preparing import preparing, statistics
from evermodel.preparing import table as preparing_table
from evermodel.spark import reading
from tests.specs import make_dataset, make_source

pytestmark = pytest.mark.all
ROWS = 6000
PARTS = 4  # of two groups of rows each, or three
RULES = {
    "target": "price",
    "gaps": "fill",
    "split": {"method": "hash", "key": ["id"], "test": 0.2, "validation": 0.1},
}
ROUNDED = {"mean", "variance", "span_mean", "span_variance"}


def mixed(rows=ROWS):
    """A column of each kind, with gaps and copies, and a name that Spark would take for a path."""
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "id": np.arange(rows),
            "area.m2": random.normal(50, 10, rows).round(3),
            "rooms": random.integers(1, 9, rows),
            "sold": random.random(rows) < 0.5,
            "colour": random.choice(["red", "green", "blue"], rows),
            "listed": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 10**7, rows), unit="s"),
            "told": random.choice(["a house", "a red house by the sea", "one more"], rows),
        }
    )
    frame["price"] = (frame["area.m2"] + frame["rooms"] + random.normal(size=rows)).round(2)
    copies = frame.columns.drop("id")
    frame.loc[rows - 40 :, copies] = frame.loc[:39, copies].to_numpy()  # copies of the first ones
    frame = frame.astype({"area.m2": float, "rooms": int, "sold": bool, "price": float})
    frame["listed"] = pd.to_datetime(frame["listed"])
    frame.loc[random.random(rows) < 0.1, "area.m2"] = np.nan
    frame.loc[random.random(rows) < 0.1, "colour"] = None
    return frame


def in_parquet(folder, frame, rows=700):
    """A table of several groups of rows."""
    pq.write_table(
        pa.Table.from_pandas(frame, preserve_index=False), folder / "made.parquet", row_group_size=rows
    )
    return _raw(tables.Table(tuple(frame), data.CSV, (tables.Part(folder / "made.parquet"),)))


def in_csv(folder, frame, rows=700):
    """A table of several files, as somebody with a decimal comma writes them."""
    parts, layout = [], Layout(separator=";", encoding="cp1252", decimal=",")
    for start in range(0, len(frame), rows):
        file = folder / f"part{start:05}.csv"
        frame[start : start + rows].to_csv(file, sep=";", decimal=",", encoding="cp1252", index=False)
        parts.append(tables.Part(file))
    return _raw(tables.Table(tuple(frame), layout, tuple(parts)))


def _raw(table):
    return Raw("table", pd.DataFrame(), pieces=table.pieces, layout=table.layout, table=table)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Samples and parts that a small table has several of."""
    monkeypatch.setattr(reading, "ROWS", 2000)
    for module, name in ((sample, "ROWS"), (statistics, "SAMPLE"), (preparing_table, "SAMPLE")):
        monkeypatch.setattr(module, name, 1000)


def prepared(folder, raw, engine, **rules):
    dataset = make_dataset(**RULES | rules, engine=engine)
    spec = preparing.prepare("made", raw, dataset, make_source(), folder, 0)
    data.save_spec(folder, spec, {})
    return spec


def files(folder):
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def plain(spec):
    """A spec without what is rounded otherwise, if numbers are added up in another order."""
    found = spec.model_dump(exclude={"columns", "target_mean", "target_sd"})
    return found, [one.model_dump(exclude=ROUNDED) for one in spec.columns]


@pytest.mark.parametrize("written", [in_parquet, in_csv])
def test_splits_and_statistics_are_those_of_one_process(tmp_path, on_workers, written):
    raw = written(tmp_path, mixed())
    spark, pandas = (prepared(tmp_path / engine, raw, engine) for engine in ("spark", "pandas"))
    assert plain(spark) == plain(pandas)
    assert spark.test_hash == pandas.test_hash
    assert spark.duplicates > 0
    for one, other in zip(spark.columns, pandas.columns, strict=True):
        for name in ROUNDED:
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-12)
    assert spark.target_mean == pytest.approx(pandas.target_mean, rel=1e-12)
    for name in data.SPLITS:
        mine, theirs = (data.load_split(tmp_path / engine, name, "number") for engine in ("spark", "pandas"))
        assert np.array_equal(mine.y, theirs.y)
        pd.testing.assert_frame_equal(mine.x[:].frame(), theirs.x[:].frame())
    assert len(list((tmp_path / "spark/train/rows").iterdir())) == PARTS


def test_any_number_of_workers_makes_the_same_bytes_and_leaves_nothing_else(
    tmp_path, on_workers, monkeypatch
):
    raw = in_parquet(tmp_path, mixed())
    prepared(tmp_path / "two", raw, "spark")
    monkeypatch.setenv("EVERMODEL_SPARK", "local[1]")
    prepared(tmp_path / "one", raw, "spark")
    found = files(tmp_path / "two")
    assert found == files(tmp_path / "one")
    assert sorted(found) == [
        "spec.json",
        *sorted(f"{one}/rows/part-0000{n}.parquet" for one in data.SPLITS for n in range(PARTS)),
    ]


def test_a_field_of_another_kind_is_told_by_its_row_as_one_process_does(tmp_path, on_workers):
    frame = mixed().astype({"rooms": str})
    frame.loc[[4500, 5500], "rooms"] = "many"
    raw = in_parquet(tmp_path, frame)
    told = []
    for engine in ("spark", "pandas"):
        with pytest.raises(EvermodelError) as error:
            prepared(tmp_path / engine, raw, engine, columns={"rooms": {"kind": "whole"}})
        told.append(str(error.value))
    assert told[0] == told[1]
    assert "row 4501, column rooms is 'many'" in told[0]


def validated(folder, raw, engine, **expect):
    dataset = make_dataset(**RULES, engine=engine, expect={"min_rows": 10} | expect)
    report = validation.validate("made", dataset, raw)
    folder.mkdir()
    validation.save(report, folder)
    return json.loads((folder / "validation.json").read_text())


def test_a_report_is_that_of_one_process(tmp_path, on_workers):
    frame = mixed().astype({"rooms": str})
    frame.loc[[4500, 5500], "rooms"] = "many"  # of another kind
    frame.loc[[3, 5900], "price"] = 5000.0  # out of range
    frame.loc[5000, "told"] = None  # a gap
    raw = in_parquet(tmp_path, frame)
    expect = {
        "ranges": {"price": [0, 1000], "rooms": [0, 10], "area.m2": [0, 1000]},
        "categories": {"colour": ["red", "green"]},
        "gaps": {"told": 0.0, "area.m2": 0.2},
    }
    spark, pandas = (validated(tmp_path / engine, raw, engine, **expect) for engine in ("spark", "pandas"))
    assert spark == pandas
    broken = {(one["column"], one["unexpected"]) for one in spark["expectations"] if not one["success"]}
    assert {("rooms", 2), ("price", 2), ("told", 1)} <= broken
    examples = {
        one["column"]: one["examples"]
        for one in spark["expectations"]
        if one["column"] in ("price", "rooms") and one["unexpected"]
    }
    assert [one["row"] for one in examples["price"]] == [4, 5901]
    assert examples["rooms"] == [{"row": 4501, "value": "many"}, {"row": 5501, "value": "many"}]


def test_a_small_table_is_looked_at_as_a_whole(tmp_path, on_workers):
    raw = in_parquet(tmp_path, mixed(800))
    assert validated(tmp_path / "spark", raw, "spark") == validated(tmp_path / "pandas", raw, "pandas")


def test_a_table_of_copies_is_looked_at_as_one_process_does(tmp_path, on_workers):
    frame = pd.concat([mixed(100)] * 60, ignore_index=True)
    raw = in_parquet(tmp_path, frame)
    assert validated(tmp_path / "spark", raw, "spark") == validated(tmp_path / "pandas", raw, "pandas")


def test_a_cluster_that_is_not_there_is_named(tmp_path, on_workers, monkeypatch):
    monkeypatch.setenv("EVERMODEL_SPARK", "nonsense://nowhere")
    with pytest.raises(EvermodelError, match=r"Spark at nonsense://nowhere .* correct EVERMODEL_SPARK"):
        prepared(tmp_path / "spark", in_parquet(tmp_path, mixed(100)), "spark")
