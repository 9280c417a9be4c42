import numpy as np
import pandas as pd
import pytest

from evermodel.preparing import inference

MANY = range(200)


def kind(values, dtype="str", **form):
    return seen(values, dtype, **form).kind


def seen(values, dtype="str", **form):
    return inference.infer([pd.DataFrame({"c": pd.Series(values, dtype=dtype)})], **form)["c"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["True", "false", ""], "boolean"),
        (["yes", "no", "yes", "no"], "category"),
        (["1", "0", "1"], "whole"),
        (["1", "2.0", "NA"], "whole"),
        (["1.5", "2", ""], "number"),
        (["1.5", "2", "low"], "category"),
        (["2024-01-31", "", "2024-02-29 12:00"], "time"),
        (["2024-01-31", "2024-02-30"], "category"),
        (["20240131", "20240201"], "whole"),
        (["red", "green", " red ", ""], "category"),
        ([f"{n}" for n in MANY], "whole"),
        ([f"id-{n}" for n in MANY], "text"),
        (["this is what somebody wrote of it", "and so is this one too"] * 100, "text"),
        (["", "NA", None], "category"),
        ([], "category"),
    ],
)
def test_a_column_is_of_the_narrowest_kind_that_all_its_fields_are_of(values, expected):
    assert kind(values) == expected


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([True, False], bool, "boolean"),
        ([True, None, False], object, "boolean"),
        ([1, 2], np.int64, "whole"),
        ([1, None, 2], object, "whole"),
        ([1.0, np.nan], np.float64, "whole"),
        ([1.5, np.inf], np.float64, "number"),
        (["2024-01-01", None], "datetime64[us]", "time"),
        (["a", None, "a"], object, "category"),
        ([np.nan, np.nan], np.float64, "category"),
    ],
)
def test_values_of_parquet_or_a_database_are_of_kinds_too(values, dtype, expected):
    assert kind(values, dtype) == expected


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["01/02/2024", "12/31/2024"], "%m/%d/%Y"),
        (["01/02/2024", "31/12/2024"], "%d/%m/%Y"),
        (["1/2/2024", "3/4/2024"], "%m/%d/%Y"),
        (["31.12.2024 23:59", "01.01.2025 00:00"], "%d.%m.%Y %H:%M"),
        (["3 Mar 2024", "14 Dec 2024"], "%d %b %Y"),
        (["01/02/2024 01:30 PM", "01/02/2024 11:30 AM"], "%m/%d/%Y %I:%M %p"),
        (["2024-12-31T23:59:59Z", "2024-12-31"], ""),
    ],
)
def test_the_form_of_dates_is_one_that_reads_them_all(values, form):
    found = seen(values)
    assert (found.kind, found.format) == ("time", form)


def test_pieces_together_tell_what_none_of_them_tells_alone():
    pieces = [pd.DataFrame({"c": values}, dtype="str") for values in (["1", "2"], ["2.5", ""], ["3", "x"])]
    told = [inference.infer(pieces[:count])["c"].kind for count in (1, 2, 3)]
    assert told == ["whole", "number", "category"]
    found = inference.infer(pieces)["c"]
    assert (found.rows, found.gaps) == (6, 1)
    assert found.values == {"1": 1, "2": 1, "2.5": 1, "3": 1, "x": 1}


def test_a_form_of_dates_that_a_later_piece_breaks_is_none():
    pieces = [pd.DataFrame({"c": values}, dtype="str") for values in (["01/02/2024"], ["31/12/2024"])]
    assert inference.infer(pieces)["c"].format == "%d/%m/%Y"


def test_values_are_counted_as_their_texts_and_no_longer_where_there_are_too_many():
    assert seen([1.0, 2.0, 1.0, np.nan], np.float64).values == {"1": 2, "2": 1}
    assert seen([" a", "a", "b "]).values == {"a": 2, "b": 1}
    assert seen([f"w{n}" for n in range(1001)]).values is None


def test_numbers_are_those_of_the_file():
    assert kind(["1.234,5", "7"], decimal=",", thousands=".") == "number"
    assert kind(["1.234", "7"], thousands=".", decimal=",") == "whole"
    assert kind(["1,5", "2,5"]) == "category"


PARTS = {
    "numbers": (["1", "2", ""], ["2.5", "NA"]),
    "truth": (["true", "False"], ["TRUE"]),
    "a truth and a number": (["true", "False"], ["1"]),
    "dates": (["2024-01-31", ""], ["2024-02-29 12:00"]),
    "dates of other forms": (["31.12.2024"], ["2024-12-31"]),
    "a year among dates": (["2024-01-31", "2024-02-29"], ["2024"]),
    "few words": (["red", "green", " red "] * 20, ["red", "blue"]),
    "nothing": (["", "NA"], [""]),
    "nothing and numbers": (["", "NA"], ["1"]),
    "many": ([f"id-{n}" for n in range(700)], [f"id-{n}" for n in range(600, 1300)]),
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("turned", [False, True])
def test_parts_that_are_put_together_show_what_all_fields_show(parts, turned):
    parts = parts[::-1] if turned else parts
    whole, found = seen([*parts[0], *parts[1]]), {}
    for part in parts:
        inference.merge(found, {"c": seen(part)})
    one = found["c"]
    assert (one.rows, one.gaps, one.words) == (whole.rows, whole.gaps, whole.words)
    assert (one.kind, one.format, one.values) == (whole.kind, whole.format, whole.values)
