import pytest

from evermodel.core.errors import EvermodelError
from evermodel.formats import table_file
from evermodel.readers import table
from tests.mirror import needs_mirror, real


@pytest.fixture
def read(tmp_path, seal):
    def reader(text, separator=",", header=False, columns=("a", "b", "c")):
        (tmp_path / "x.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        return table.read(seal(), separator=separator, header=header, columns=columns).manifest

    return reader


def test_fields_are_read_as_they_stand_under_the_given_names(read):
    manifest = read("1,2.50,3\n4,5,06\n")
    assert manifest.to_dict("list") == {"a": ["1", "4"], "b": ["2.50", "5"], "c": ["3", "06"]}
    assert set(map(str, manifest.dtypes)) == {"str"}


def test_how_the_file_is_written_is_told(tmp_path, seal):
    for header, told in ((True, {}), (False, {"header": False, "columns": ("a", "b")})):
        (tmp_path / "x.csv").write_text("a;b\n1;2\n")
        raw = table.read(seal(), separator=";", header=header, columns=("a", "b"))
        assert raw.layout.model_dump(exclude_defaults=True) == {"separator": ";"} | told


def test_white_space_separates_also_at_the_start_of_a_line(read):
    assert read(" 1.0   2 3\n10.5  4 5\n", separator=r"\s+").a.tolist() == ["1.0", "10.5"]


def test_a_label_stays_as_it_stands(read):
    assert read("T,1,NA\nI,2,null\nNA,3,None\n").iloc[:, [0, 2]].to_numpy().tolist() == [
        ["T", "NA"],
        ["I", "null"],
        ["NA", "None"],
    ]


@pytest.mark.parametrize("wrong", ["", "12;5", "nan", "NaN", "n/a", "?", "1_000", "0x10"])
def test_what_is_not_a_number_stays_visible_as_text(read, wrong):
    manifest = read(f"1,{wrong},3\n4,5,6\n")
    assert manifest.b.tolist() == [wrong, "5"]
    assert not manifest.isna().any(axis=None)


def test_a_line_that_is_too_short_is_named(read):
    with pytest.raises(EvermodelError, match=r"x\.csv: line 2 has 2 fields, but the first line has 3"):
        read("1,2,3\n4,5\n")


def test_a_line_that_is_too_long_is_named(read):
    with pytest.raises(EvermodelError, match=r"x\.csv: line 2 has 4 fields, but the first line has 3"):
        read("1,2,3\n4,12,5,6\n")


def test_a_quoted_separator_is_none(read):
    assert read('1,"2,5",3\n').b.tolist() == ["2,5"]


@pytest.mark.parametrize(
    "text", ["1,2\n3,4\n", "1,2,3,4\n", "1;2;3\n"], ids=["fewer", "more", "other separator"]
)
def test_another_number_of_columns_is_told(read, text):
    with pytest.raises(EvermodelError, match=r"x\.csv has \d columns?, not 3: a, b, c"):
        read(text)


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_told(read, text):
    with pytest.raises(EvermodelError, match=r"x\.csv is empty; "):
        read(text)


def test_what_is_no_text_is_told(read):
    with pytest.raises(EvermodelError, match=r"x\.csv: line 1 is no text in UTF-8"):
        read(b"\xff\xfe\x00\x81,1,2\n")


def test_a_header_may_name_the_columns_in_any_order(read):
    manifest = read("c,a,b\n1,2,3\n", header=True)
    assert manifest.to_dict("list") == {"a": ["2"], "b": ["3"], "c": ["1"]}


def test_a_header_alone_gives_no_rows(read):
    assert len(read("a,b,c\n", header=True)) == 0


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("a,b", r"columns missing: \['c'\]; columns not known: none"),
        ("a,b,c,d", r"columns missing: none; columns not known: \['d'\]"),
        ("a,b,C", r"columns missing: \['c'\]; columns not known: \['C'\]"),
        ("a,b,c,c", r"the first line names the column 'c' twice"),
    ],
)
def test_columns_missing_and_unknown_are_named(read, header, told):
    with pytest.raises(EvermodelError, match=told):
        read(f"{header}\n{','.join('1' * (header.count(',') + 1))}\n", header=True)


@pytest.mark.parametrize("lines", ["1,2,3,4\n", "1,7,8,9\n2,7,8,9\n", "7,8,9,\n", "x,7,8,9\n"])
def test_more_fields_than_names_are_told_whatever_stands_in_them(read, lines):
    with pytest.raises(EvermodelError, match=r"x\.csv: line 2 has 4 fields, but the first line has 3"):
        read(f"a,b,c\n{lines}", header=True)


def test_a_column_that_the_options_name_twice_is_told(read):
    with pytest.raises(EvermodelError, match=r"params\.yaml: columns names the column 'a' twice"):
        read("1,2,3\n", columns=("a", "b", "a"))


def test_two_files_are_no_table(tmp_path, seal):
    for name in ("x.csv", "y.csv"):
        (tmp_path / name).write_text("1\n")
    with pytest.raises(EvermodelError, match=r"a table is one file, but source\.json lists x\.csv, y\.csv"):
        table.read(seal(), separator=",", header=False, columns=["a"])


@needs_mirror
def test_the_real_houses_are_read(tmp_path):
    manifest = table.read(tmp_path, **real("boston_housing", tmp_path).options).manifest
    assert manifest.shape == (506, 14)
    assert manifest.iloc[0].tolist()[-3:] == ["396.90", "4.98", "24.00"]
    assert table_file.typed(manifest).MEDV.mean() == pytest.approx(22.53, abs=0.01)


@needs_mirror
def test_the_real_letters_are_read(tmp_path):
    manifest = table.read(tmp_path, **real("letter_recognition", tmp_path).options).manifest
    assert manifest.shape == (20_000, 17)
    assert " ".join(manifest.iloc[0]) == "T 2 8 3 5 1 8 13 0 6 6 10 8 0 8 0 8"
    assert manifest.label.nunique() == 26
