import numpy as np
import pandas as pd
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.readers import series
from tests.mirror import needs_mirror

SALES = "day,shop,sales,price,weather\n2/1/2024,b,-1,1.5,rain\n1/1/2024,b,,2,sun\n13/1/2024,a,7,NA,sun\n"


@pytest.fixture
def read(tmp_path, seal):
    def reader(content=SALES, **options):
        (tmp_path / "t.csv").write_text(content)
        return series.read(seal(), **{"date": "day", "key": "shop"} | options)

    return reader


def test_each_series_comes_in_order_of_time_with_numbers_and_gaps(read):
    raw = read()
    assert (raw.kind, raw.inputs) == ("series", None)
    manifest = raw.manifest
    assert list(manifest) == ["date", "series", "sales", "price", "weather"]
    assert manifest.index.tolist() == [0, 1, 2]
    assert manifest["date"].dt.strftime("%m-%d").tolist() == ["01-13", "01-01", "01-02"]
    assert manifest["series"].tolist() == ["a", "b", "b"]
    assert manifest["sales"].fillna(0).tolist() == [7, 0, -1]
    assert manifest["price"].fillna(0).tolist() == [0, 2, 1.5]
    assert manifest["weather"].tolist() == ["sun", "sun", "rain"]


def test_how_its_file_is_written_goes_with_it(read):
    layout = read().layout
    assert (layout.date, layout.date_format, layout.key) == ("day", "%d/%m/%Y", "shop")
    alone = read("day,sales\n2024-01-01T08:00,1\n", key=None)
    assert (alone.layout.date_format, alone.layout.key) == ("", "")
    assert list(alone.manifest) == ["date", "sales"]


def test_a_form_of_dates_that_is_given_decides(read):
    assert read(SALES.replace("13/1", "3/1"), format="%d/%m/%Y").manifest["date"].dt.month.unique() == [1]
    with pytest.raises(EvermodelError, match=r"row 3, column day is '13/1/2024', not a date like %m/%d/%Y"):
        read(format="%m/%d/%Y")


def test_words_for_a_gap_are_none_of_a_column_s_numbers(read):
    manifest = read("day,x\n2024-01-01,?\n2024-01-02,4\n", key=None).manifest
    assert manifest["x"].fillna(0).tolist() == [0, 4]


def test_booleans_are_numbers_and_a_column_of_gaps_is_none(read):
    manifest = read("day,x,y\n2024-01-01,True,\n2024-01-02,false,\n", key=None).manifest
    assert manifest["x"].tolist() == [1, 0]
    assert manifest["y"].dtype.kind != "f"


def test_typed_columns_of_parquet_are_read_as_they_are(tmp_path, seal):
    dates = pd.date_range("2024-01-01", periods=3, freq="h", tz="Europe/Berlin")
    pd.DataFrame({"at": dates, "x": [1, 2, 3]}).to_parquet(tmp_path / "t.parquet")
    manifest = series.read(seal(), date="at").manifest
    assert manifest["date"].iloc[0] == pd.Timestamp("2023-12-31 23:00")
    assert manifest["x"].dtype == np.float64


@pytest.mark.parametrize("name", ["day", "shop"])
def test_a_missing_column_is_named_with_those_there_are(read, name):
    with pytest.raises(EvermodelError, match=rf"has no column '{name}'; its columns are .*weather; correct "):
        read(SALES.replace(name, "other"))


@pytest.mark.parametrize(("column", "name"), [("sales", "date"), ("price", "series")])
def test_a_column_called_as_one_of_the_manifest_is_refused(read, column, name):
    with pytest.raises(EvermodelError, match=rf"has a column '{name}', .*; rename it"):
        read(SALES.replace(column, name))


def test_two_rows_of_one_moment_are_refused_with_their_series(read):
    with pytest.raises(EvermodelError, match=r"two rows of 2024-01-02 of b; .*`key`"):
        read(SALES + "2/1/2024,b,1,1,sun\n")
    with pytest.raises(EvermodelError, match=r"two rows of 2024-01-02; "):
        read(SALES + "2/1/2024,b,1,1,sun\n", key=None)


def test_no_rows_are_told(read):
    with pytest.raises(EvermodelError, match="has no rows"):
        read("day,shop,sales\n")


def test_a_split_is_declared_by_its_files_or_its_column_in_order_of_time(read):
    lines = "day,shop,x,split\n2024-01-01,a,1,train\n2024-01-03,a,1,test\n2024-01-02,b,1,validation\n"
    assert read(lines).manifest["split"].tolist() == ["train", "test", "validation"]
    with pytest.raises(EvermodelError, match=r"test begins on 2024-01-03, but validation ends on 2024-01-03"):
        read(lines.replace("01-02", "01-03"))


@needs_mirror
def test_the_real_prices_are_read(mirrored):
    files = {split.lower(): f"Google_Stock_Price_{split}.csv" for split in ("Train", "Test")}
    manifest = series.read(mirrored("google_stock"), splits=files, date="Date", thousands=",").manifest
    assert manifest["split"].value_counts().to_dict() == {"train": 1258, "test": 20}
    assert manifest["date"].iloc[[0, -1]].dt.strftime("%Y-%m-%d").tolist() == ["2012-01-03", "2017-01-31"]
    columns = ["Open", "High", "Low", "Close", "Volume"]
    assert manifest[columns].iloc[0].tolist() == [325.25, 332.83, 324.97, 663.59, 7380500]
