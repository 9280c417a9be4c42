"""What fields mean, whatever they come from: text of a file, or values of Parquet, Excel or a database."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from evermodel.core import fields
from evermodel.core.columns import Column
from evermodel.core.fields import FieldError

NAN = np.nan


def series(values, dtype=None):
    """A column whose index does not begin at 0, as that of a piece."""
    return pd.Series(values, range(7, 7 + len(values)), dtype)


def same(found, expected):
    assert found.index[0] == 7
    np.testing.assert_array_equal(found.to_numpy(np.float64), np.array(expected, np.float64))


@pytest.mark.parametrize("dtype", ["str", object])
def test_a_gap_is_nothing_or_a_word_for_it_with_spaces_around(dtype):
    written = series(["", "  ", "NA", " n/a ", "?", None, "0", "none of it", "no", "na na"], dtype)
    assert fields.is_gap(written).tolist() == [True] * 6 + [False] * 4


def test_a_gap_of_values_is_nan_none_or_nat_and_not_0():
    assert fields.is_gap(series([0.0, NAN])).tolist() == [False, True]
    assert fields.is_gap(series([0, None, "NA", False, 5], object)).tolist() == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert fields.is_gap(series(pd.to_datetime(["2024-01-01", None]))).tolist() == [False, True]


@pytest.mark.parametrize("dtype", ["str", object])
def test_numbers_are_read_as_they_are_written(dtype):
    written = [
        "1",
        " -2.5 ",
        "1e3",
        ".5",
        "1,5",
        "inf",
        "nan",
        "1e999",
        "0x10",
        "1_000",
        "one",
        "",
        "1",
        None,
    ]
    same(fields.numbers(series(written, dtype)), [1, -2.5, 1000, 0.5] + [NAN] * 8 + [1, NAN])


def test_values_are_numbers_booleans_too_and_what_is_not_finite_is_none():
    same(fields.numbers(series([1, 2])), [1, 2])
    same(fields.numbers(series([1.5, np.inf, NAN])), [1.5, NAN, NAN])
    same(fields.numbers(series([True, False])), [1, 0])
    same(fields.numbers(series([3, None, "4", "x", 2**40], object)), [3, NAN, 4, NAN, 2**40])


def test_a_decimal_comma_and_thousands_are_read_where_they_are_told():
    written = series(["1.234,5", "12,25", "1234,5", "-1.000", "12.34,5", "1,2,3", "1.000.000,0"], "str")
    same(fields.numbers(written, ",", "."), [1234.5, 12.25, 1234.5, -1000, NAN, NAN, 1e6])
    same(fields.numbers(series(["1'234.5", "1 234"], "str"), ".", "'"), [1234.5, NAN])
    same(fields.numbers(series(["12,5", "12.5"], "str"), ","), [12.5, NAN])


@pytest.mark.parametrize("dtype", ["str", object])
def test_booleans_are_words_in_any_case(dtype):
    written = series(["True", "false", " YES ", "n", "1", "0", "2", "maybe", ""], dtype)
    same(fields.booleans(written), [1, 0, 1, 0, 1, 0, NAN, NAN, NAN])
    same(fields.booleans(written, fields.TRUTH), [1, 0] + [NAN] * 7)


def test_booleans_of_values_are_1_and_0():
    same(fields.booleans(series([True, False])), [1, 0])
    same(fields.booleans(series([1.0, 0.0, 2.0, NAN])), [1, 0, NAN, NAN])
    same(fields.booleans(series([1.0, 0.0]), fields.TRUTH), [NAN, NAN])
    same(fields.booleans(series([True, None, False], object)), [1, NAN, 0])


@pytest.mark.parametrize(
    ("form", "written", "seconds"),
    [
        ("", "1970-01-02", 86400),
        ("", "1970-01-01T00:00:01.5", 1.5),
        ("", "1970-01-01 01:00:00+01:00", 0),
        ("%d.%m.%Y", "02.01.1970", 86400),
        ("%m/%d/%Y", "01/02/1970", 86400),
        ("%d/%m/%Y %H:%M", "02/01/1970 00:01", 86460),
        ("%b %d, %Y", "Jan 2, 1970", 86400),
        ("%d/%m/%Y", "1970-01-02", NAN),
        ("", "31 December", NAN),
        ("", "20.5", NAN),
    ],
)
@pytest.mark.parametrize("dtype", ["str", object])
def test_dates_and_times_are_seconds_since_1970(form, written, seconds, dtype):
    same(fields.times(series([written, None], dtype), form), [seconds, NAN])


def test_dates_of_values_are_read_and_numbers_are_none():
    moments = [datetime(1970, 1, 2), date(1970, 1, 2), datetime(1970, 1, 2, tzinfo=UTC), 86400, None]
    same(fields.times(series(moments, object)), [86400, 86400, 86400, NAN, NAN])
    same(fields.times(series(pd.to_datetime(["1970-01-02", None]))), [86400, NAN])
    berlin = pd.Series(pd.to_datetime(["1970-01-02 01:00"])).dt.tz_localize("Europe/Berlin")
    assert fields.times(berlin).tolist() == [86400]
    same(fields.times(series([86400.0])), [NAN])


@pytest.mark.parametrize("word", ["now", "today", " now", "tomorrow"])
def test_a_word_is_no_time_though_pandas_reads_the_moment_in_it(word):
    assert fields.times(pd.Series([word, "2024-12-31"])).isna().tolist() == [True, False]


def test_a_whole_number_beyond_all_floats_is_none():
    assert fields.numbers(pd.Series([10**400, None, 7], dtype=object)).tolist()[2] == 7
    assert fields.numbers(pd.Series([10**400, 7], dtype=object)).isna().tolist() == [True, False]


def test_a_whole_number_is_written_without_a_point_whatever_it_is_stored_as():
    stored = [series([1, 2]), series([1.0, 2.0]), series(["1", "2"], "str"), series([1, 2.0], object)]
    assert [fields.texts(one).tolist() for one in stored] == [["1", "2"]] * 4
    assert fields.texts(series([1.5, 1e300])).tolist() == ["1.5", str(int(1e300))]
    assert fields.texts(series([True, False])).tolist() == ["True", "False"]


COLUMNS = [
    Column(name="time", kind="time", gaps="fill", format="%d.%m.%Y"),
    Column(name="rooms", kind="whole", gaps="fill"),
    Column(name="colour", kind="category", gaps="category"),
    Column(name="told", kind="text", gaps="category"),
    Column(name="sold", kind="boolean", gaps="category"),
]


def test_a_typed_table_has_the_columns_in_their_order_as_numbers_and_objects():
    frame = pd.DataFrame(
        {
            "sold": ["yes", ""],
            "told": [" a word ", "?"],
            "colour": [" red ", ""],
            "rooms": ["3", ""],
            "time": ["02.01.1970", "NA"],
            "other": ["x", "y"],
        },
        index=[5, 6],
        dtype="str",
    )
    found = fields.typed(frame, COLUMNS)
    assert list(found) == ["time", "rooms", "colour", "told", "sold"]
    assert found.index.tolist() == [5, 6]
    assert found.iloc[0].tolist() == [86400, 3, "red", " a word ", 1]
    assert found.iloc[1, [2, 3]].tolist() == [None, None]
    assert found.iloc[1, [0, 1, 4]].isna().all()
    assert [found[name].dtype for name in ("time", "colour", "told")] == [np.float64, object, object]


def test_categories_that_are_numbers_are_spelled_the_same_from_any_source():
    columns = [Column(name="code", kind="category", gaps="category")]
    of = [
        series([1.0, NAN]),
        series([1, None], object),
        series(["1", ""], "str"),
        series([" 1 ", None], object),
    ]
    found = [fields.typed(pd.DataFrame({"code": one}), columns)["code"].tolist() for one in of]
    assert found == [["1", None]] * 4


@pytest.mark.parametrize(
    ("kind", "written", "told"),
    [
        ("number", "12,5", "row 2, column c is '12,5', no finite number"),
        ("whole", "one", "row 2, column c is 'one', no finite number"),
        ("boolean", "2", "row 2, column c is '2', neither true nor false"),
        ("time", "1.2.24", "row 2, column c is '1.2.24', no date or time of the form 2024-12-31 23:59:59"),
        ("number", "?", r"row 2, column c is empty \('\?'\)"),
        ("category", "", r"row 2, column c is empty \(''\)"),
    ],
)
def test_a_field_that_can_not_be_read_is_named_with_its_row(kind, written, told):
    good = {"number": "1", "whole": "1", "boolean": "1", "time": "2024-01-01", "category": "a"}[kind]
    frame = pd.DataFrame({"c": [good, written, written]}, dtype="str")
    with pytest.raises(FieldError, match=told) as error:
        fields.typed(frame, [Column(name="c", kind=kind)])
    assert (error.value.row, error.value.column) == (1, "c")


def test_a_column_that_is_not_there_is_a_key_error():
    with pytest.raises(KeyError, match="rooms"):
        fields.typed(pd.DataFrame({"other": ["1"]}), [Column(name="rooms")])
