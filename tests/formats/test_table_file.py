import datetime
import decimal
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evermodel.core.errors import EvermodelError
from evermodel.formats import table_file


def read(content, **options):
    """The columns of a text, and the index of its rows."""
    stream = io.BytesIO(content if isinstance(content, bytes) else content.encode())
    frame = pd.concat(table_file.pieces("t.csv", stream, **options))
    assert frame.index.tolist() == list(range(len(frame)))
    return frame.to_dict("list")


def refusal(content, **options):
    with pytest.raises(EvermodelError) as error:
        read(content, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "field",
    ["1", "01", "1.0", "1e3", " 1 ", "True", "NA", "nan", "null", "", "2020-01-01", "5 %", "é", "'1'"],
)
def test_a_field_stays_as_it_stands(field):
    assert read(f"a,b\n{field},x\n") == {"a": [field], "b": ["x"]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["Unix", "Windows", "old Mac"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_end_as_in_any_system(end, last):
    assert read(end.join(["a,b", "1,2", "", "3,4"]) + end * last) == {"a": ["1", "3"], "b": ["2", "4"]}


def test_quotes_hold_separators_quotes_and_line_breaks():
    assert read('"a, b","c ""d"""\r\n"x\ny",z\r\n') == {"a, b": ["x\ny"], 'c "d"': ["z"]}


def test_a_mark_at_the_beginning_is_no_part_of_the_first_name():
    assert read(b"\xef\xbb\xbfa,b\n1,2\n") == read(b'\xef\xbb\xbf"a",b\n1,2\n') == {"a": ["1"], "b": ["2"]}


def test_names_that_look_like_numbers_are_names():
    assert read("1,2.0,2019\n7,8,9\n") == {"1": ["7"], "2.0": ["8"], "2019": ["9"]}


def test_without_a_header_the_first_line_is_a_row():
    assert read("1,2\n1,3\n", header=False) == {"0": ["1", "1"], "1": ["2", "3"]}


@pytest.mark.parametrize(
    "text", ["a b\n1 2\n", " a  b \n\n 1\t \t2\n  \n", 'a "b"\n"1" 2\n', "a\tb\r\n\t1 2\r\n"]
)
def test_white_space_is_one_separator_however_much(text):
    assert read(text, separator=r"\s+") == {"a": ["1"], "b": ["2"]}


def test_white_space_in_quotes_is_part_of_a_field():
    assert read('a b\n1 "New  York\n City"\n', separator=r"\s+") == {"a": ["1"], "b": ["New  York\n City"]}


@pytest.mark.parametrize(
    ("separator", "text"), [(";", "a;b\n1,5;2\n"), ("\t", "a\tb\n1,5\t2\n"), ("|", "a|b\n1,5|2\n")]
)
def test_any_character_separates(separator, text):
    assert read(text, separator=separator) == {"a": ["1,5"], "b": ["2"]}


@pytest.mark.parametrize("separator", ["", "||", ", "])
def test_what_is_no_separator_is_told(separator):
    assert "give one character" in refusal("a,b\n1,2\n", separator=separator)


@pytest.mark.parametrize(
    ("text", "line", "fields"),
    [
        ("a,b\n1,2,3\n", 2, 3),
        ("a,b\n1,7,8\n2,7,8\n3,7,8\n", 2, 3),
        ("a,b\n1,2,\n3,4,\n", 2, 3),
        ("a,b\n1,2\n3\n", 3, 1),
        ("a,b\n\n1,2\n3,4,5\n", 4, 3),
        ('a,b\n"1\n\n",2\n3,4,5\n', 5, 3),
        ('a,b\n1,2\n"3\n4",5,6\n', 3, 3),
    ],
)
def test_a_line_with_more_or_fewer_fields_than_the_first_is_named(text, line, fields):
    assert f"t.csv: line {line} has {fields} fields, but the first line has 2" in refusal(text)


def test_a_line_may_be_wrong_behind_many(monkeypatch):
    monkeypatch.setattr(table_file, "ROWS", 2)
    assert "line 7 has 3 fields" in refusal("a,b\n" + "1,2\n" * 5 + "1,2,3\n")


def test_one_field_more_is_told_in_a_table_without_header_and_with_white_space():
    assert "line 2 has 3 fields" in refusal("1,2\n3,4,5\n", header=False)
    assert "line 2 has 3 fields" in refusal('"a" "b"\n"1" 7 8\n', separator=r"\s+")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a,b\n1,é\n".encode("latin-1"), 2),
        ("a,b\n1,2\n".encode("utf-16"), 1),
        ("a,b\n1,2\n".encode("utf-16-le"), 1),
        (b"a,b\n1,2\n3,\x004\n", 3),
        (b"PK\x03\x04\x14\x00", 1),
    ],
    ids=["latin-1", "UTF-16", "UTF-16 without mark", "NUL", "xlsx"],
)
def test_what_is_no_text_is_told_with_its_line(content, line):
    assert f"t.csv: line {line} is no text in UTF-8; save" in refusal(content)


@pytest.mark.parametrize("text", ['a,b\n1,"2\n3,4\n', 'a,b\n1,"2"x\n', 'a,b\n1,"' + "x\n" * 50])
def test_a_quote_that_does_not_end_is_told_with_the_line_where_it_begins(text, monkeypatch):
    monkeypatch.setattr(table_file, "LONGEST", 50)
    assert "t.csv: line 2 can't be read (" in refusal(text)


def test_a_text_may_be_long():
    assert read('a,b\n1,"' + "x\n" * 140_000 + '"\n')["b"] == ["x\n" * 140_000]


def outcome(text, **options):
    try:
        return read(text, **options)
    except EvermodelError as error:
        return str(error)


@given(
    st.lists(
        st.sampled_from(['"', '""', ",", "\n", "\r\n", "\r", "a", "é", " ", '"a"', "1,2\n", "\0"]),
        max_size=24,
    ),
    st.integers(1, 12),
)
def test_what_is_read_does_not_depend_on_how_fast_it_can_be(parts, block):
    """Blocks of a few characters by Arrow, where it may, and all of it row by row."""
    text = "a,b\n" + "".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table_file, "BLOCK", block)
        quick = outcome(text)
        patch.setattr(table_file, "_parsed", lambda *_: None)
        assert outcome(text) == quick


@pytest.mark.parametrize("text", ["a,b\n1,2\n", 'a,b\n"1\n2",""\n3,é'])
def test_what_is_written_by_the_rules_is_read_fast(text, monkeypatch):
    monkeypatch.setattr(
        table_file, "_rows", lambda _form, _lines, *behind: iter([] if behind else [["a", "b"]])
    )
    assert len(read(text)["a"]) == text.count(",") - 1


def test_a_line_may_be_wrong_behind_many_blocks(monkeypatch):
    monkeypatch.setattr(table_file, "BLOCK", 64)
    text = "a,b\n" + '1,"2\n"\n' * 1000
    assert "line 2002 has 3 fields" in refusal(text + "1,2,3\n" + "1,2\n" * 1000)
    assert "line 2003 is no text" in refusal(text.encode() + b"1,2\n1,\xff\n")
    assert "line 2002 can't be read" in refusal(text + '1,"2\n' + "1,2\n" * 1000)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "cp932", "utf-8", "UTF-8"])
def test_a_file_may_be_written_in_another_encoding(encoding, monkeypatch):
    text = "ä,b\n1,2\n".replace("ä", "ﾃ" if encoding == "cp932" else "ä")
    monkeypatch.setattr(table_file, "BLOCK", 3)
    assert read(text.encode(encoding), encoding=encoding) == {text[0]: ["1"], "b": ["2"]}


@pytest.mark.parametrize(
    ("content", "encoding", "told"),
    [
        ("a,b\n1,é\n".encode(), "ascii", "line 2 is no text in ASCII"),
        (b"a,b\n1,2\n3,\x81\n", "cp1252", "line 3 is no text in CP1252"),
        (b"a,b\n1,2\n\x00", "utf-16-le", "t.csv is no text in UTF-16-LE"),
        (b"a,b\n1,2\n", "klingon", "can't be read with the encoding 'klingon'"),
        (b"a,b\n1,2\n", "hex", "can't be read with the encoding 'hex'"),
    ],
)
def test_what_is_no_text_in_its_encoding_is_told(content, encoding, told):
    assert told in refusal(content, encoding=encoding)


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n", ";"),
        ("date;price, EUR\n1;2,5\n", ";"),
        ("a\tb\n1,5\t2\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("a b\n 1   2\n", r"\s+"),
        ("text\nsome words\nand some more\n", ","),
        ("a;b;c\n1;2\n", ";"),
        ('text;n\n"a, b, c\n d";1\n', ";"),
        ("", ","),
    ],
)
def test_the_separator_is_found_by_what_makes_rows_of_equal_length(text, separator):
    stream = io.BytesIO(text.encode())
    assert table_file.found_separator("t.csv", stream) == separator
    assert stream.tell() == 0


@pytest.mark.parametrize("content", ["", "\n\r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_told(content):
    assert "t.csv is empty" in refusal(content)


def test_a_name_that_stands_twice_is_told():
    assert "t.csv: the first line names the column 'b' twice" in refusal("a,b,b\n1,2,3\n")


def test_a_header_alone_has_names_and_no_rows():
    assert read("a,b\n") == {"a": [], "b": []}


def test_a_file_is_read_in_pieces_that_count_on(monkeypatch):
    monkeypatch.setattr(table_file, "ROWS", 2)
    pieces = list(table_file.pieces("t.csv", io.BytesIO(b"a\n1\n2\n3\n4\n")))
    assert [piece.index.tolist() for piece in pieces] == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("1", 1), ("-1.5", -1.5), ("+1", 1), (".5", 0.5), ("1.", 1), ("1e3", 1000), ("1E-3", 0.001)],
        *[(" 1", 1), ("1\t", 1), ("007", 7), ("0.1", 0.1), ("1" * 30, float("1" * 30))],
        *[("True", 1), ("false", 0), (" TRUE ", 1), ("FALSE", 0), ("true", 1), ("False", 0)],
        *[(True, 1), (False, 0), (np.True_, 1), (2, 2), (decimal.Decimal("1.5"), 1.5)],
    ],
)  # fmt: skip
def test_numbers_and_booleans_are_numbers(field, value):
    assert table_file.numbers(pd.Series([field], dtype=object)).tolist() == [value]


@pytest.mark.parametrize(
    "field",
    ["", " ", "x", "nan", "NaN", "inf", "-inf", "Infinity", "1e999", "1_000", "1,000", "0x10", "0b1", "1 000",
     "1e", "--1", "1%", "１", "−1", "NA", "yes", "tRUE", "1\xa0", None, np.nan, np.inf, [1],
     datetime.date(2020, 1, 1)],
)  # fmt: skip
def test_all_else_is_no_number(field):
    found = table_file.numbers(pd.Series([field, "1"], dtype=object))
    assert found.dtype == np.float64
    assert found.isna().tolist() == [True, False]


def test_numbers_are_the_nearest_there_are():
    values = np.random.RandomState(0).standard_normal(999) * 10.0 ** np.arange(-300, 300).repeat(2)[:999]
    column = pd.Series([repr(float(value)) for value in values], dtype="str")
    assert (table_file.numbers(column) == values).all()


def test_a_column_is_of_numbers_if_every_field_is_one_and_text_as_it_stands_elsewhere():
    text = {
        "1": ["1", "True", "0"],
        "2": [" 1.50", "2", "3e0"],
        "3": ["01", "x", "1.0"],
        "4": ["1", "inf", "2"],
    }
    typed = table_file.typed(pd.DataFrame(text, dtype="str"))
    assert typed.to_dict("list") == {"1": [1, 1, 0], "2": [1.5, 2, 3], "3": text["3"], "4": text["4"]}
    assert list(map(str, typed.dtypes)) == ["float64", "float64", "str", "str"]
