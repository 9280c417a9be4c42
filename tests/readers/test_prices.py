import numpy as np
import pandas as pd
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.readers import prices
from tests.mirror import needs_mirror

HEADER = "Date,Open,Close,Volume"
TRAIN = [
    '1/3/2012,325.25,663.59,"7,380,500"',
    '1/4/2012,331.27,"1,207.94",900',
    '12/31/2012,329,657.2,"1,000"',
]
TEST = ["1/3/2013,778.81,786.14,\"1,657,300\"", "1/4/2013,0.1,786.9,12"]  # fmt: skip


@pytest.fixture
def read(tmp_path, seal):
    def reader(train=TRAIN, test=TEST, columns=("Open", "Close", "Volume"), header=HEADER):
        for name, lines in (("train.csv", train), ("test.csv", test)):
            content = "\r\n".join([header, *lines, ""]) if isinstance(lines, list) else lines
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return prices.read(seal(), train="train.csv", test="test.csv", date="Date", columns=columns)

    return reader


def test_the_days_of_both_files_come_in_order_with_numbers_as_floats(read):
    raw = read()
    manifest = raw.manifest
    assert (raw.kind, raw.inputs) == ("series", None)
    assert list(manifest) == ["split", "date", "Open", "Close", "Volume"]
    assert manifest.split.tolist() == ["train"] * 3 + ["test"] * 2
    assert manifest.index.tolist() == list(range(5))
    assert manifest.date.dtype.kind == "M"
    assert manifest.date.iloc[2] == pd.Timestamp(2012, 12, 31)
    assert manifest.Close.tolist() == [663.59, 1207.94, 657.2, 786.14, 786.9]
    assert manifest.Volume.tolist() == [7380500, 900, 1000, 1657300, 12]
    assert {manifest[name].dtype for name in ("Open", "Close", "Volume")} == {np.dtype("float64")}


def test_only_the_columns_asked_for_are_kept_and_examined(read):
    manifest = read(train=["1/3/2012,1,n/a,x", "1/4/2012,2,,"], columns=["Open"]).manifest
    assert list(manifest) == ["split", "date", "Open"]


@pytest.mark.parametrize(
    "wrong", ["", "n/a", "nan", "inf", "1e999", "12;5", "1_000", '"12,5"', '"1,00"', "0x10", "True", "--1"]
)
def test_text_that_is_no_number_is_named_by_row_and_column(read, wrong):
    with pytest.raises(EvermodelError, match=r"train\.csv: row 2, column Close is .*, not a finite number"):
        read(train=[TRAIN[0], f"1/4/2012,1,{wrong},1", TRAIN[2]])


def test_infinite_numbers_alone_in_a_column_are_named(read):
    with pytest.raises(EvermodelError, match=r"row 1, column Close is 'inf', not a finite number"):
        read(train=["1/3/2012,1,inf,1"])


@pytest.mark.parametrize(
    "wrong", ["", "yesterday", "13/1/2012", "2012-01-04", "1/4/12", "2/30/2012", "20120104"]
)
def test_what_is_no_date_is_named(read, wrong):
    with pytest.raises(EvermodelError, match=r"train\.csv: row 2, column Date is .*, not a date"):
        read(train=[TRAIN[0], f"{wrong},1,2,3", TRAIN[2]])


@pytest.mark.parametrize("day", ["1/3/2012", "1/2/2012"], ids=["repeated", "earlier"])
def test_dates_that_repeat_or_go_back_are_named(read, day):
    with pytest.raises(
        EvermodelError, match=rf"row 2, column Date is '{day}', not later than the row before"
    ):
        read(train=[TRAIN[0], f"{day},1,2,3", TRAIN[2]])


@pytest.mark.parametrize("day", ["12/31/2012", "1/2/2012"])
def test_a_test_that_starts_before_the_training_ends_is_refused(read, day):
    with pytest.raises(
        EvermodelError, match=r"test\.csv begins on 2012-.*, but train\.csv ends on 2012-12-31"
    ):
        read(test=[f"{day},1,2,3"])


@pytest.mark.parametrize("column", ["Date", "Close"])
def test_a_missing_column_is_named_with_those_there_are(read, column):
    with pytest.raises(
        EvermodelError, match=rf"train\.csv has no column '{column}'; its columns are .*Volume"
    ):
        read(header=HEADER.replace(column, "Other"))


@pytest.mark.parametrize("name", ["train", "test"])
def test_a_file_without_days_is_named(read, name):
    with pytest.raises(EvermodelError, match=rf"{name}\.csv has no rows"):
        read(**{name: []})


@pytest.mark.parametrize("content", ["", b"\xff\xfe\x00\x81", 'Date,Open\n1,"2\n', "a,b\n1,2,3,4\n"])
def test_what_is_no_table_is_told(read, content):
    with pytest.raises(EvermodelError, match=r"train\.csv( is empty|: line \d )"):
        read(train=content)


def test_a_row_more_at_the_front_of_each_line_is_told_though_it_counts(read):
    lines = [f"{number},{line}" for number, line in enumerate(TRAIN, 1)]
    with pytest.raises(EvermodelError, match=r"train\.csv: line 2 has 5 fields, but the first line has 4"):
        read(train=lines)


@pytest.mark.parametrize("name", ["split", "date"])
def test_a_column_of_the_manifest_itself_is_not_to_be_had_twice(read, name):
    with pytest.raises(EvermodelError, match=rf"params\.yaml: columns names '{name}'.*; remove it"):
        read(columns=["Open", name])


def test_a_missing_file_is_named(read, tmp_path):
    read()
    (tmp_path / "test.csv").unlink()
    with pytest.raises(EvermodelError, match=r"test\.csv is missing"):
        prices.read(tmp_path, train="train.csv", test="test.csv", date="Date", columns=["Open"])


@needs_mirror
def test_the_real_prices_are_read(mirrored):
    files = {split.lower(): f"Google_Stock_Price_{split}.csv" for split in ("Train", "Test")}
    columns = ["Open", "High", "Low", "Close", "Volume"]
    manifest = prices.read(mirrored("google_stock"), **files, date="Date", columns=columns).manifest
    assert manifest.split.value_counts().to_dict() == {"train": 1258, "test": 20}
    assert manifest.date.iloc[[0, -1]].dt.strftime("%Y-%m-%d").tolist() == ["2012-01-03", "2017-01-31"]
    assert manifest.iloc[0].tolist()[2:] == [325.25, 332.83, 324.97, 663.59, 7380500]
