import decimal
import gzip
import re
import zipfile
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import ExifTags, Image

from evermodel import prediction
from evermodel.core.data import Layout
from evermodel.core.errors import EvermodelError
from evermodel.formats import image_files, packed, table_file
from tests.specs import make_spec

TABLE = make_spec("table")
GREY = make_spec("images", input_shape=(4, 6, 1))
COLOUR = make_spec("images", input_shape=(4, 6, 3))
TEXT = make_spec("text")


@pytest.fixture
def file(tmp_path):
    """A function that writes a file and returns its path."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def image(tmp_path):
    """A function that writes an image of one colour and returns its path."""

    def write(name, mode="L", size=(6, 4), colour=None):
        Image.new(mode, size, colour).save(tmp_path / name)
        return tmp_path / name

    return write


def refusal(files, described):
    with pytest.raises(EvermodelError) as error:
        prediction.inputs(files, described)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert f"{tmp_path / 'nowhere'} does not exist" in refusal([tmp_path / "nowhere"], TABLE)


def test_a_table_gives_an_example_per_row_whatever_the_order_of_its_columns(file):
    one, two = file("one.csv", "b,other,a\n2,x,1\n4,y,3\n"), file("two.csv", "a,b\n5,6\n")
    names, x = prediction.inputs([one, two], TABLE)
    assert names == [f"{one}:1", f"{one}:2", f"{two}:1"]
    assert list(x.columns) == ["a", "b"]
    assert x.to_numpy().tolist() == [[1, 2], [3, 4], [5, 6]]
    assert set(x.dtypes) == {np.dtype("float64")}


def test_a_parquet_table_gives_an_example_per_row_whatever_its_types(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"b": [2, 4], "other": ["x", "y"], "a": ["1", "3"]}).to_parquet(path)
    names, x = prediction.inputs([path], TABLE)
    assert names == [f"{path}:1", f"{path}:2"]
    assert x.to_numpy().tolist() == [[1, 2], [3, 4]]
    assert set(x.dtypes) == {np.dtype("float64")}


@pytest.mark.parametrize(
    "column",
    [
        pa.array([True, False]),
        pa.array([1, 0], pa.int8()),
        pa.array([1, 0], pa.uint64()),
        pa.array([1, 0], pa.float32()),
        pa.array([decimal.Decimal("1.00"), decimal.Decimal("0.00")]),
        pa.array(["1", "0.0"]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_a_parquet_column_of_any_type_that_tells_numbers_is_read(tmp_path, column):
    pq.write_table(pa.table({"a": [5, 6], "b": column}), tmp_path / "t.parquet")
    assert prediction.inputs([tmp_path / "t.parquet"], TABLE)[1].to_numpy().tolist() == [[5, 1], [6, 0]]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, None]),
        pa.array([True, None]),
        pa.array(["True", "1"]),
        pa.array([1.0, np.inf]),
        pa.array(["1", "inf"]),
        pa.array([1, 2], pa.timestamp("s")),
        pa.array([1, 2], pa.duration("s")),
        pa.array([[1], [2]]),
    ],
    ids=lambda column: f"{column.type} {column[1]}",
)
def test_a_parquet_column_that_tells_no_numbers_is_refused_by_row_and_column(tmp_path, column):
    pq.write_table(pa.table({"a": [5, 6], "b": column}), path := tmp_path / "t.parquet")
    assert re.search(rf"{path}: (row [12], )?column b (is|holds) .*; ", refusal([path], TABLE))


def test_a_parquet_column_that_pandas_would_take_as_names_of_rows_is_read(tmp_path):
    pd.DataFrame({"a": [1, 9], "b": [3, 4]}).set_index("a").to_parquet(tmp_path / "t.parquet", index=True)
    assert prediction.inputs([tmp_path / "t.parquet"], TABLE)[1].to_numpy().tolist() == [[1, 3], [9, 4]]


def test_a_column_that_is_there_twice_is_refused(file, tmp_path):
    twice = pa.table([pa.array([1]), pa.array([2]), pa.array([3])], ["a", "b", "b"])
    pq.write_table(twice, tmp_path / "t.parquet")
    for path in (tmp_path / "t.parquet", file("t.csv", "a,b,b\n1,2,3\n")):
        assert "names the column 'b' twice" in refusal([path], TABLE)


def test_names_that_look_like_numbers_are_names_and_booleans_are_numbers(file):
    described = make_spec("table", columns=[{"name": "2019"}, {"name": "1.0", "kind": "boolean"}])
    path = file("t.csv", "1.0,2019\nTrue, 7\nfalse,8 \n")
    assert prediction.inputs([path], described)[1].to_numpy().tolist() == [[7, 1], [8, 0]]


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ({}, "b,a\n2,1\n4,3\n"),
        ({}, "\ufeffa,b\r\n1,2\r\n3,4\r\n"),
        ({"separator": ";"}, "b;a\n2;1\n4;3\n"),
        ({"separator": ";"}, "b,a\n2,1\n4,3\n"),
        ({"separator": r"\s+"}, "  b   a\n 2 1\n4\t3\n"),
        ({"separator": r"\s+", "header": False, "columns": ("a", "id", "price", "b")}, "1 x 9 2\n3 y 9 4\n"),
        ({"separator": r"\s+", "header": False, "columns": ("a", "id", "price", "b")}, "1 x 2\n3 y 4\n"),
        ({"separator": r"\s+", "header": False, "columns": ("a", "id", "price", "b")}, "b,a\n2,1\n4,3\n"),
        ({"separator": r"\s+", "header": False, "columns": ("a", "price", "b")}, '"b","a"\n2,1\n4,3\n'),
        ({"separator": ";", "header": False, "columns": ("price", "b", "a")}, "b;a;c\n2;1;0\n4;3;0\n"),
    ],
)
def test_a_table_is_read_as_training_read_it_or_by_a_first_line_that_names_the_columns(file, layout, text):
    described = make_spec("table", layout=layout)
    path = file("t.csv", text)
    assert prediction.inputs([path], described)[1].to_numpy().tolist() == [[1, 2], [3, 4]]
    sent = [("t", path.read_bytes())]
    assert prediction.examples(sent, described)[1].to_numpy().tolist() == [[1, 2], [3, 4]]


def test_a_table_without_first_line_of_another_width_is_refused_with_what_is_needed(file):
    layout = {"separator": r"\s+", "header": False, "columns": ("a", "price", "b")}
    sentence = refusal([path := file("t.csv", "1,2\n")], make_spec("table", layout=layout))
    assert sentence == (
        f"{path} has no first line that names a, b, and as a table without one, whose fields white space "
        "sets apart, 1 fields in a line; write such a line, or all of a, price, b in this order, with or "
        "without price"
    )


def test_thousands_are_set_apart_where_they_were_in_training(file):
    text = 'a,b\n"1,657,300"," 2 "\n'
    apart = make_spec("table", layout={"thousands": ","})
    assert prediction.inputs([file("t.csv", text)], apart)[1].to_numpy().tolist() == [[1657300, 2]]
    assert "column a is '1,657,300', no finite number" in refusal([file("t.csv", text)], TABLE)
    assert "column a is '1,6', no finite number" in refusal([file("u.csv", 'a,b\n"1,6",2\n')], apart)


KINDS = make_spec(
    "table",
    columns=[
        {"name": "width", "gaps": "fill"},
        {"name": "on", "kind": "boolean", "gaps": "category"},
        {"name": "day", "kind": "time", "format": "%d.%m.%Y"},
        {"name": "code", "kind": "category", "gaps": "category"},
        {"name": "note", "kind": "text"},
    ],
    layout={"separator": ";", "decimal": ",", "thousands": ".", "encoding": "latin-1"},
)
TYPED = [[1234.5, 1, 86400, "7", "Größe; groß"], [None, None, 0, None, "a"]]


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", 'code;width;on;day;note\n7;1.234,5;yes;02.01.1970;"Größe; groß"\n?;;NA;01.01.1970;a\n'),
        ("t.csv", "code,width,on,day,note\n7,1234.5,True,02.01.1970,Gr\xf6\xdfe; gro\xdf\n,,,01.01.1970,a\n"),
    ],
    ids=["as learned from", "plain"],
)
def test_fields_of_all_kinds_are_read_as_training_read_them_or_as_a_plain_csv_has_them(file, name, text, end):
    encoding = "latin-1" if ";" in text.partition("\n")[0] else "utf-8"
    content = text.encode(encoding)
    path = file(name + end, gzip.compress(content) if end else content)
    assert told(prediction.inputs([path], KINDS)[1]) == TYPED


@pytest.mark.parametrize("name", ["t.parquet", "t.xlsx"])
def test_fields_that_have_types_are_read_by_them(tmp_path, name):
    table = pd.DataFrame(
        {
            "code": pd.array([7, None], dtype="Int64"),
            "width": [1234.5, None],
            "on": pd.array([True, None], dtype="boolean"),
            "day": pd.to_datetime(["1970-01-02", "1970-01-01"]),
            "note": ["Größe; groß", "a"],
        }
    )
    write = table.to_parquet if name == "t.parquet" else table.to_excel
    write(tmp_path / name, index=False)
    for given in (tmp_path / name, (tmp_path / name).read_bytes()):
        _, x = prediction.examples([(name, given)], KINDS)
        assert told(x) == TYPED


def told(table):
    return [[None if pd.isna(value) else value for value in row] for row in table.to_numpy(object).tolist()]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("7;1;yes;;a", "row 1, column day is empty ('')"),
        ("7;1;yes;1970-01-02;a", "row 1, column day is '1970-01-02', no date or time of the form %d.%m.%Y"),
        ("7;1;perhaps;01.01.1970;a", "row 1, column on is 'perhaps', neither true nor false"),
        ("7;1.5;yes;01.01.1970;a", "row 1, column width is '1.5', no finite number"),
        ("7;1;yes;01.01.1970;", "row 1, column note is empty ('')"),
    ],
)
def test_a_field_of_another_kind_and_a_gap_where_there_was_none_are_named(file, line, sentence):
    path = file("t.csv", f"code;width;on;day;note\n{line}\n")
    assert f"{path}: {sentence}" in refusal([path], KINDS)


@pytest.mark.parametrize("line", ["1,2,3", "1", "1,2,", ",1,2"])
def test_a_line_that_does_not_fit_the_header_is_named(file, line):
    path = file("t.csv", f"a,b\n1,2\n{line}\n")
    assert f"{path}: line 3 has " in refusal([path], TABLE)


def test_a_parquet_table_that_can_not_be_used_is_refused(file, tmp_path):
    assert "t.parquet is not a Parquet table" in refusal([file("t.parquet", "a,b\n1,2\n")], TABLE)
    path = tmp_path / "u.parquet"
    for column, sentence in (
        ([1.0, None], "row 2, column b is empty (nan)"),
        (["1", "many"], "row 2, column b is 'many', no finite number"),
    ):
        pd.DataFrame({"a": [1, 2], "b": column}).to_parquet(path)
        assert f"{path}: {sentence}" in refusal([path], TABLE)
    pd.DataFrame({"a": [1]}).to_parquet(path)
    assert f"{path} has no column 'b'" in refusal([path], TABLE)
    pd.DataFrame({"a": [], "b": []}).to_parquet(path)
    assert f"{path} has no rows" in refusal([path], TABLE)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_table_is_read_in_pieces_that_count_on_and_a_fault_is_named_by_its_row(tmp_path, monkeypatch, name):
    monkeypatch.setattr(table_file, "ROWS", 2)
    table = pd.DataFrame({"a": range(5), "b": ["0", "1", "2", "3", "4"]})
    path = tmp_path / name
    write = partial(table.to_csv, index=False) if name == "t.csv" else table.to_parquet
    write(path)
    pieces = list(prediction.pieces(str(path), path, TABLE))
    assert [list(piece.index) for piece in pieces] == [[0, 1], [2, 3], [4]]
    table.loc[4, "b"] = "many"
    write(path)
    assert f"{path}: row 5, column b is 'many'" in refusal([path], TABLE)


def test_a_table_without_a_needed_column_is_refused_with_all_that_are_needed(file):
    sentence = refusal([path := file("t.csv", "a,c\n1,2\n")], TABLE)
    assert f"{path} has no column 'b'; needed are a, b" in sentence


@pytest.mark.parametrize("value", ["many", "", "inf", "nan", "1e999", "1_000", "0x10", "1.5.1", "x" * 200])
def test_what_is_no_finite_number_is_named_by_row_and_column(file, value):
    sentence = refusal([path := file("t.csv", f"a,b\n1,2\n3,{value}\n")], TABLE)
    assert f"{path}: row 2, column b is " in sentence


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00\x01", b'a,b\n1,"2\n', b"a,b\n1,2,3,4\n1\n1,2,3,4,5\n", b"a,b\n9,1,2\n"]
)
def test_a_file_that_is_no_table_is_refused(file, content):
    assert refusal([path := file("t.csv", content)], TABLE).startswith(str(path))


def test_a_table_without_rows_is_refused(file):
    assert refusal([path := file("t.csv", "a,b\n")], TABLE).startswith(str(path))


@pytest.mark.parametrize("name", ["p.png", "p.jpg", "p.bmp", "renamed"])
def test_an_image_of_the_right_size_goes_in_as_it_is(image, tmp_path, name):
    path = image("p.png" if name == "renamed" else name, colour=200)
    path = path.rename(tmp_path / name)
    names, x = prediction.inputs([path, path], GREY)
    assert names == [str(path)] * 2
    assert x.dtype == np.uint8
    assert np.array_equal(x, np.full((2, 4, 6, 1), 200))


@pytest.mark.parametrize("described", [GREY, COLOUR])
@pytest.mark.parametrize(
    ("mode", "colour"),
    [("RGB", (90, 90, 90)), ("RGBA", (90, 90, 90, 255)), ("L", 90), ("CMYK", (0, 0, 0, 165))],
)
def test_an_image_of_another_size_and_mode_is_fitted(image, described, mode, colour):
    _, x = prediction.inputs([image("p.tiff", mode, (30, 17), colour)], described)
    assert x.shape == (1, *described.input_shape)
    assert np.array_equal(np.unique(x), [90])


def test_an_image_that_is_turned_and_transparent_goes_in_as_a_reader_of_training_data_reads_it(tmp_path):
    (tmp_path / "data").mkdir()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    pixels = np.random.RandomState(0).randint(0, 256, (6, 4, 4)).astype(np.uint8)
    Image.fromarray(pixels).save(path := tmp_path / "p.png", exif=exif)
    with zipfile.ZipFile(tmp_path / "data/a.zip", "w") as archive:
        archive.write(path, "cat.png")
    with packed.opened(tmp_path / "data/a.zip") as files:
        album = image_files.album(tmp_path / "data/a.zip", files, {"members": r"\w+\.png"})
        learned = image_files.decode(album.images["members"][0].opened(), "RGB")
    _, x = prediction.inputs([path], COLOUR)
    assert np.array_equal(x[0], learned)
    opaque = np.asarray(Image.alpha_composite(Image.new("RGBA", (4, 6), "white"), Image.fromarray(pixels)))
    assert np.array_equal(x[0], np.rot90(opaque, -1)[..., :3])


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_an_image_of_another_size_is_resized_as_images_of_training_data_are(image, fit):
    path = image("p.png", "L", (9, 9), 0)
    noise = np.random.RandomState(0).randint(0, 256, (9, 9)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    described = make_spec("images", input_shape=(4, 6, 1), layout=Layout(fit=fit))
    seen = prediction.inputs([path], described)[1][0, ..., 0]
    assert np.array_equal(seen, np.asarray(image_files.fitted(Image.fromarray(noise), (4, 6), fit)))


def test_a_text_that_is_called_an_image_is_refused(file):
    assert "p.png is not an image" in refusal([file("p.png", "no image")], GREY)


@pytest.mark.parametrize("name", ["p.png", "p.tiff"])
def test_an_image_of_16_bits_is_refused_rather_than_cut_at_255(image, name):
    path = image(name, "I;16", colour=300)
    assert refusal([path], GREY) == f"{path} has pixels of mode I;16; give 8 bits a channel"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(7_000, 7_000), (12_000, 12_000), (60_000, 60_000)])
def test_a_huge_image_is_refused_before_it_is_decoded(file, monkeypatch, size):
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("it was decoded"))
    sentence = refusal([path := file("p.pgm", b"P5 %d %d 255\n" % size)], GREY)
    assert sentence.startswith(str(path))
    assert "pixels" in sentence


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("name", ["p.png", "p.jpg", "p.gif", "p.tiff", "p.bmp"])
def test_an_image_that_was_cut_off_is_refused(image, name):
    path = image(name, size=(64, 64))
    whole = path.read_bytes()
    for length in range(0, len(whole) * 3 // 4, max(1, len(whole) // 40)):
        path.write_bytes(whole[:length])
        assert refusal([path], GREY).startswith(str(path))


def test_a_text_goes_in_as_it_is(file):
    names, x = prediction.inputs([path := file("t.txt", "Größe\n🎉"), path], TEXT)
    assert names == [str(path)] * 2
    assert (x.dtype, x.tolist()) == (object, ["Größe\n🎉"] * 2)


def test_a_text_that_is_not_utf8_is_refused(file):
    assert "t.txt is not a text in UTF-8" in refusal([file("t.txt", "Größe".encode("latin-1"))], TEXT)


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_a_quantity_is_answered_by_a_number(shape):
    answers = prediction.answers(
        ["one", "two"], None, np.array([1.5, 2.5]).reshape(shape), TABLE, "regression"
    )
    assert answers == [{"input": "one", "price": 1.5}, {"input": "two", "price": 2.5}]


def test_a_class_is_answered_by_its_name_and_probability():
    described = make_spec("images", classes=("cat", "dog", "cow"))
    answers = prediction.answers(["one"], None, np.array([[0.25, 0.5, 0.25]]), described, "classification")
    assert answers == [{"input": "one", "label": "dog", "probability": 0.5}]


@pytest.mark.parametrize(("positive", "name", "probability"), [(0.75, "good", 0.75), (0.25, "bad", 0.75)])
def test_one_probability_of_two_classes_is_that_of_the_second(positive, name, probability):
    described = make_spec("text", classes=("bad", "good"))
    (answer,) = prediction.answers(["one"], None, np.array([[positive]]), described, "binary")
    assert answer == {"input": "one", "label": name, "probability": probability}


def test_a_mask_of_several_classes_is_answered_by_a_colour_for_each():
    described = make_spec("images", classes=("rest", "road", "car"), masks=True)
    answer = np.eye(3)[[[0, 1], [2, 1]]][None]
    (told,) = prediction.answers(["one"], np.zeros((1, 2, 2, 3)), answer, described, "segmentation")
    assert told["image"].shape == (2, 2, 3)
    assert told["image"][0, 0].tolist() == [0, 0, 0]
    assert len({tuple(pixel) for pixel in told["image"].reshape(-1, 3).tolist()}) == 3


def test_several_targets_are_answered_by_their_names():
    described = TABLE.model_copy(update={"targets": ("age", "gender")})
    (answer,) = prediction.answers(["one"], None, np.array([[31.0, 0.75]]), described, "age_gender")
    assert answer == {"input": "one", "age": 31.0, "gender": 0.75}


def test_an_answer_that_is_an_image_is_one():
    (answer,) = prediction.answers(
        ["one"],
        np.zeros((1, 2, 2, 1), np.uint8),
        np.array([[[[0.0], [1.0]], [[0.5], [0.0]]]]),
        TABLE,
        "segmentation",
    )
    assert answer["image"].tolist() == [[0, 255], [128, 0]]


def test_a_mask_of_several_classes_is_answered_by_their_colours():
    described = make_spec("images", masks=True, classes=("road", "car", "sky"))
    answer = np.eye(3)[np.array([[[0, 1], [2, 0]]])]
    (answer,) = prediction.answers(["one"], np.zeros((1, 2, 2, 1)), answer, described, "segmentation")
    assert (answer["image"].shape, answer["image"].dtype) == ((2, 2, 3), np.uint8)
    assert len({tuple(pixel) for pixel in answer["image"].reshape(-1, 3).tolist()}) == 3


def test_colours_are_put_together_with_the_lightness_that_came():
    photograph = np.full((1, 2, 2, 3), (200, 100, 50), np.uint8)
    gray = np.zeros((1, 2, 2, 2))
    (answer,) = prediction.answers(["one"], photograph, gray, TABLE, "colorization")
    red, green, blue = answer["image"][0, 0].astype(int)
    assert abs(red - green) <= 1
    assert abs(green - blue) <= 1


STEPS = make_spec(
    "series",
    input_shape=(2, 1),
    columns=[{"name": "Open"}],
    horizon=3,
    gaps="forward",
    step="1 day",
    layout={"separator": ";", "date": "Date", "date_format": "%d.%m.%Y", "key": "shop", "decimal": ","},
)


def test_a_series_is_answered_by_its_last_rows(file):
    described = make_spec("series", input_shape=(2, 1), columns=[{"name": "Open"}])
    path = file("prices.csv", "Open\n1\n2\n3\n")
    assert prediction.inputs([path, path], described)[1].tolist() == [[[2.0], [3.0]]] * 2
    assert "has 1 rows; the 2 last steps are needed" in refusal([file("short.csv", "Open\n1\n")], described)
    assert "has no value of Open" in refusal([file("gap.csv", "Open\n1\nNA\n")], described)


def test_each_series_of_a_table_is_answered_by_its_last_steps_in_order_of_time(file):
    text = "Date;Open;shop\n03.01.2024;3,5;a\n01.01.2024;1;a\n01.01.2024;7;b\n02.01.2024;?;b\n"
    names, x = prediction.inputs([path := file("t.csv", text)], STEPS)
    assert names == [f"{path}:a", f"{path}:b"]
    assert x.tolist() == [[[1.0], [3.5]], [[7.0], [7.0]]]


def test_a_forecast_of_several_steps_is_a_list():
    (answer,) = prediction.answers(["a"], None, np.array([[1.0, 2.0, 3.0]]), STEPS, "forecasting")
    assert answer == {"input": "a", "price": [1, 2, 3]}


def test_a_prompt_may_be_missing_and_has_a_limit():
    spec = make_spec("text").asked("text")
    table = pd.DataFrame({"prompt": ["a film", None, "x" * 500], "seed": [1, 2, 3]})
    found = prediction.typed("the request", table, spec, spec.layout)
    assert found["prompt"].tolist() == ["a film", None, "x" * 500]
    long = table.assign(prompt=["", "x" * 501, ""])
    with pytest.raises(EvermodelError, match=r"row 2, column prompt has 501 characters; the limit is 500"):
        prediction.typed("the request", long, spec, spec.layout)


@pytest.mark.parametrize(
    ("caption", "sentence"),
    [
        ("a green bag", r"row 2, column caption has the word 'green', but known are only a, bag, red$"),
        ("a red red bag", "row 2, column caption has 4 words; the limit is 3"),
        (None, "row 2, column caption is empty"),
    ],
)
def test_a_caption_is_of_words_that_are_known_and_not_longer_than_those(caption, sentence):
    spec = make_spec("images", classes=("a red bag", "a bag")).predicting("captioned").asked("captioned")
    told = tuple(one.model_copy(update={"vocabulary": ()}) for one in spec.columns)  # as a package has them
    spec = spec.model_copy(update={"columns": told})
    table = pd.DataFrame({"caption": ["Red  bag", "bag"], "seed": [1, 2]})
    found = prediction.typed("the request", table, spec, spec.layout)
    assert found["caption"].tolist() == ["Red  bag", "bag"]
    with pytest.raises(EvermodelError, match=sentence):
        prediction.typed("the request", table.assign(caption=["a bag", caption]), spec, spec.layout)


def test_what_was_written_is_the_answer_of_each_row():
    spec, written = make_spec("text").asked("text"), np.array(["on", "off"], dtype=object)
    (one, other) = prediction.answers(["row:1", "row:2"], None, written, spec, "language_modelling")
    assert (one, other) == ({"input": "row:1", "text": "on"}, {"input": "row:2", "text": "off"})
