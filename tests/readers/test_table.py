import gzip
import io
import zipfile

import pandas as pd
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.datasets.source import PROVENANCE
from evermodel.formats import table_file
from evermodel.readers import table
from tests.mirror import needs_mirror, real


def whole(raw):
    """All rows of a table, whose index counts on."""
    assert raw.kind == "table"
    assert raw.manifest.empty
    found = pd.concat(raw.pieces())
    assert found.index.tolist() == list(range(len(found)))
    assert found.equals(pd.concat(raw.pieces())), "it can be read again"
    return found


@pytest.fixture
def read(tmp_path, seal):
    def reader(text, separator=",", header=False, columns=("a", "b", "c"), **options):
        (tmp_path / "x.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        return whole(table.read(seal(), separator=separator, header=header, columns=columns, **options))

    return reader


@pytest.fixture
def folder(tmp_path, seal):
    """Writes files, texts or bytes, and gives their folder."""

    def write(files):
        for name, content in files.items():
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return seal()

    return write


def zipped(members, **options):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def parquet(frame):
    stream = io.BytesIO()
    frame.to_parquet(stream)
    return stream.getvalue()


def excel(frame, **options):
    stream = io.BytesIO()
    frame.to_excel(stream, index=False, **options)
    return stream.getvalue()


def test_fields_are_read_as_they_stand_under_the_given_names(read):
    manifest = read("1,2.50,3\n4,5,06\n")
    assert manifest.to_dict("list") == {"a": ["1", "4"], "b": ["2.50", "5"], "c": ["3", "06"]}
    assert set(map(str, manifest.dtypes)) == {"str"}


def test_how_the_file_is_written_is_told(tmp_path, seal):
    for header, told in ((True, {}), (False, {"header": False, "columns": ("a", "b")})):
        (tmp_path / "x.csv").write_text("a;b\n1;2\n")
        raw = table.read(seal(), separator=";", header=header, columns=("a", "b"), decimal=",", thousands=".")
        assert (
            raw.layout.model_dump(exclude_defaults=True)
            == {
                "separator": ";",
                "decimal": ",",
                "thousands": ".",
            }
            | told
        )


def test_what_a_file_says_itself_need_not_be_said(folder):
    raw = table.read(folder({"x.csv": "b;a\n1,5;2\n"}))
    assert whole(raw).to_dict("list") == {"b": ["1,5"], "a": ["2"]}
    assert raw.layout.model_dump(exclude_defaults=True) == {"separator": ";"}


def test_columns_without_names_are_called_by_their_places(folder):
    raw = table.read(folder({"x.data": "7 8\n 9\t1\n"}), header=False)
    assert whole(raw).to_dict("list") == {"0": ["7", "9"], "1": ["8", "1"]}
    assert raw.layout.columns == ("0", "1")


def test_a_table_may_be_written_as_elsewhere(folder):
    text = 'Größe;Preis\r\n"1.234,5";"zwei\r\nZeilen"\r\n'
    raw = table.read(folder({"x.csv": text.encode("cp1252")}), encoding="cp1252", decimal=",", thousands=".")
    assert whole(raw).to_dict("list") == {"Größe": ["1.234,5"], "Preis": ["zwei\r\nZeilen"]}
    assert raw.layout.encoding == "cp1252"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv.gz", gzip.compress(b"a,b\n1,2\n")),
        ("x.zip", zipped({"x.csv": "a,b\n1,2\n"}, compression=zipfile.ZIP_DEFLATED)),
        ("x.zip", zipped({"d/x.csv.gz": gzip.compress(b"a,b\n1,2\n")})),
        ("x.zip", zipped({"__MACOSX/._x.csv": "?", "x.csv": "a,b\n1,2\n", ".x.csv": "?", "LICENSE.md": "?"})),
    ],
    ids=["gz", "zip", "gz in zip", "zip with litter"],
)  # fmt: skip
def test_a_packed_file_is_read(folder, name, content):
    assert whole(table.read(folder({name: content}))).to_dict("list") == {"a": ["1"], "b": ["2"]}


FRAME = pd.DataFrame(
    {
        "n": [0.5, None, 2.5],
        "w": pd.array([1, None, 3], "Int64"),
        "b": [True, False, True],
        "t": pd.to_datetime(["2020-01-01 12:30", None, "2021-02-03 00:00"]),
        "s": ["x", None, "1"],
    }
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.parquet", parquet(FRAME)),
        ("x.parquet", parquet(FRAME.astype({"s": "category", "n": "float32"}))),
        ("x.parquet", parquet(FRAME.assign(t=FRAME.t.dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")))),
        ("x.parquet", parquet(FRAME.set_index(pd.Index([7, 9, 11])))),
        ("x.parquet.gz", gzip.compress(parquet(FRAME))),
        ("x.zip", zipped({"x.parquet": parquet(FRAME)})),
        ("x.xlsx", excel(FRAME)),
        ("x.zip", zipped({"x.xlsx": excel(FRAME)}, compression=zipfile.ZIP_DEFLATED)),
    ],
    ids=[
        "Parquet",
        "categories",
        "zone",
        "index",
        "Parquet in gz",
        "Parquet in zip",
        "Excel",
        "Excel in zip",
    ],
)
def test_values_with_types_keep_them(folder, name, content):
    found = whole(table.read(folder({name: content})))
    assert found.n.tolist()[::2] == [0.5, 2.5]
    assert found.w.tolist()[::2] == [1, 3]
    assert [str(value) for value in found.w.astype(object)[::2]] == ["1", "3"]
    assert found.b.tolist() == [True, False, True]
    assert found.t.tolist()[::2] == [pd.Timestamp("2020-01-01 12:30"), pd.Timestamp("2021-02-03")]
    assert found.s.tolist()[::2] == ["x", "1"]
    assert found.isna().loc[1].tolist() == [True, True, False, True, True]


def test_a_sheet_is_chosen_by_its_name(folder):
    stream = io.BytesIO()
    with pd.ExcelWriter(stream) as book:
        pd.DataFrame({"x": [1]}).to_excel(book, sheet_name="one", index=False)
        pd.DataFrame({"y": [2]}).to_excel(book, sheet_name="two", index=False)
    where = folder({"x.xlsx": stream.getvalue()})
    assert whole(table.read(where)).to_dict("list") == {"x": [1]}
    assert whole(table.read(where, sheet="two")).to_dict("list") == {"y": [2]}
    with pytest.raises(EvermodelError, match=r"x\.xlsx has no sheet 'three'; the sheets are one, two"):
        table.read(where, sheet="three")


def test_several_files_are_one_table_in_the_natural_order_of_their_names(folder):
    where = folder({"p10.csv": "a,b\n10,x\n", "p2.csv": "b,a\ny,2\n", "p1.csv": "a,b\n"})
    assert whole(table.read(where)).to_dict("list") == {"a": ["2", "10"], "b": ["y", "x"]}


def test_a_pattern_names_the_files_also_in_an_archive(folder):
    members = {"d/a1.csv": "a\n1\n", "d/a2.csv": "a\n2\n", "readme.txt": "Read me."}
    where = folder({"x.zip": zipped(members), "y.csv": "a\n3\n"})
    assert whole(table.read(where, files="d/a*")).a.tolist() == ["1", "2"]
    assert whole(table.read(where, files="*.csv")).a.tolist() == ["1", "2", "3"]
    with pytest.raises(EvermodelError, match=r"has no table called z\*, but d/a1\.csv, .*; correct files or"):
        table.read(where, files="z*")


def test_files_that_are_split_already_tell_the_split(folder):
    where = folder({"te.csv": "a\n3\n", "tr1.csv": "a\n1\n", "tr2.csv": "a\n2\n", "va.csv": "a\n4\n"})
    found = whole(table.read(where, splits={"test": "te.csv", "train": "tr*", "validation": "va.csv"}))
    assert found.a.tolist() == ["1", "2", "4", "3"]
    assert found.split.tolist() == ["train", "train", "validation", "test"]
    with pytest.raises(EvermodelError, match=r"tr1\.csv into two of them"):
        table.read(where, splits={"test": "*", "train": "tr*"})
    with pytest.raises(EvermodelError, match=r"remove one"):
        table.read(where, splits={"test": "te.csv"}, files="*")


def test_a_column_can_not_be_called_as_the_one_that_tells_the_split(folder):
    with pytest.raises(EvermodelError, match=r"x\.csv has a column split"):
        table.read(folder({"x.csv": "split,a\n1,2\n"}), splits={"train": "x.csv"})


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"x.csv": "a,b\n1,2\n", "y.csv": "a,c\n1,2\n"},
            r"y\.csv: columns missing: \['b'\]; .*correct files",
        ),
        ({"x.csv": "a,b\n1,2\n", "y.parquet": parquet(FRAME)}, r"in Parquet and in text; name those of one"),
        ({"x.zip": zipped({"a.md": "x"})}, r"has no table called \*, but none"),
        ({"x.zip": b"PK no archive"}, r"x\.zip can't be unpacked \("),
        (
            {"x.zip": zipped({"x.csv": "a,b\n" * 99}).replace(b"a,b\na", b"a,b\nx")},
            r"x\.csv can't be unpacked \(",
        ),
        ({"x.csv.gz": gzip.compress(b"a,b\n1,2\n" * 99)[:-20]}, r"x\.csv\.gz can't be unpacked \("),
        ({"x.csv.gz": b"a,b\n"}, r"x\.csv\.gz can't be unpacked \(Not a gzipped"),
        ({"x.parquet": b"a,b\n"}, r"x\.parquet is not a Parquet table"),
        (
            {"x.parquet": parquet(pd.DataFrame({"a": [[1], [2]]}))},
            r"x\.parquet: column a holds values of type",
        ),
        ({"x.xlsx": b"a,b\n"}, r"x\.xlsx is no workbook of Excel"),
        (
            {"x.xlsx": excel(pd.DataFrame([[1, 2, 3]], columns=["a", None, "c"]))},
            r"first row does not name each column",
        ),
        ({"x.xlsx": excel(pd.DataFrame([[1, 2]], columns=["a", "a"]))}, r"names the column 'a' twice"),
        (
            {"x.xlsx": excel(pd.DataFrame([["a", None], [1, 2]]), header=False)},
            r"row 2 has 2 cells, but .* has 1",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(value),
)
def test_what_is_no_table_is_told(folder, files, told):
    with pytest.raises(EvermodelError, match=told) as error:
        whole(table.read(folder(files)))
    assert "\n" not in str(error.value)


def test_an_encrypted_archive_is_told(folder):
    locked = bytearray(zipped({"x.csv": "a,b\n"}))
    at = locked.index(b"PK\x01\x02")
    locked[at + 8] |= 1
    with pytest.raises(EvermodelError, match=r"x\.zip is encrypted"):
        table.read(folder({"x.zip": bytes(locked)}))


@pytest.mark.parametrize("content", [parquet(FRAME[:0]), parquet(FRAME)])
def test_pieces_of_parquet_have_as_many_rows_as_those_of_text(folder, content, monkeypatch):
    monkeypatch.setattr(table_file, "ROWS", 2)
    pieces = list(table.read(folder({"x.parquet": content})).pieces())
    assert [len(piece) for piece in pieces] in ([2, 1], [0])
    assert list(pieces[-1]) == list(FRAME)


def test_pretrained_weights_are_no_part_of_a_table(folder):
    where = folder({"x.csv": "a\n1\n", "vgg.h5": "weights"})
    text = (where / PROVENANCE).read_text()
    (where / PROVENANCE).write_text(text.replace('"weights":{}', '"weights":{"VGG16":"vgg.h5"}'))
    assert whole(table.read(where)).a.tolist() == ["1"]


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


@needs_mirror
def test_the_real_houses_are_read(tmp_path):
    manifest = whole(table.read(tmp_path, **real("boston_housing", tmp_path).options))
    assert manifest.shape == (506, 14)
    assert manifest.iloc[0].tolist()[-3:] == ["396.90", "4.98", "24.00"]
    assert manifest.MEDV.astype(float).mean() == pytest.approx(22.53, abs=0.01)


@needs_mirror
def test_the_real_letters_are_read(tmp_path):
    manifest = whole(table.read(tmp_path, **real("letter_recognition", tmp_path).options))
    assert manifest.shape == (20_000, 17)
    assert " ".join(manifest.iloc[0]) == "T 2 8 3 5 1 8 13 0 6 6 10 8 0 8 0 8"
    assert manifest.label.nunique() == 26


@needs_mirror
@pytest.mark.parametrize("name", ["titanic", "penguins", "mpg", "taxis", "diamonds"])
def test_real_tables_are_read_as_pandas_reads_them(name, mirrored):
    where = mirrored(name)
    found = whole(table.read(where, files="*.csv"))
    assert found.equals(pd.read_csv(where / f"{name}.csv", dtype="str", keep_default_na=False))
