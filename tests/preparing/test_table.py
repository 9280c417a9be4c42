"""Tables of columns of all kinds, in pieces of a few rows: what is told of them, and what is written."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from evermodel.core import data, parts
from evermodel.core.data import Layout
from evermodel.core.errors import EvermodelError
from evermodel.preparing import preparing, split
from evermodel.preparing import table as tables
from tests.preparing.tables import csv, in_pieces
from tests.specs import make_dataset, make_source

ORDER = {"method": "order", "test": 0.25, "validation": 0.2}
KEY = {"method": "hash", "key": ["id"], "test": 0.25, "validation": 0.2}


@pytest.fixture
def prepared(tmp_path):
    """The spec and the splits of a table, and the folder that they lie in."""

    def prepare(frame, target: data.Target = "number", layout=data.CSV, pieces=15, **rules):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        dataset = make_dataset(**{"target": "price", "split": ORDER} | rules)
        raw = in_pieces(frame, pieces, layout)
        data.save_spec(folder, preparing.prepare("made", raw, dataset, make_source(), folder), {})
        loaded = data.load(folder, target, *data.SPLITS)
        return loaded.spec, loaded.splits

    return prepare


def mixed(count=40):
    """Text of a file: a column of each kind, with gaps in the first training rows."""
    number = range(count)
    return csv(
        id=[f"{n}" for n in number],
        area=["" if n % 10 == 1 else f"{n}.5" for n in number],
        rooms=[f"{n % 5}" for n in number],
        sold=["" if n % 8 == 2 else ["yes", "TRUE", "false"][n % 3].replace("yes", "true") for n in number],
        colour=["NA" if n % 10 == 3 else ["red", "green", " red "][n % 3] for n in number],
        listed=[f"{n % 28 + 1:02}.02.2024" for n in number],
        told=[f"number {n} is a house, a red one" for n in number],
        price=[f"{n * 10}" for n in number],
    )


def column(spec, name):
    return next(one for one in spec.columns if one.name == name)


def test_columns_are_of_the_kinds_and_gaps_that_the_training_rows_show(prepared):
    spec, splits = prepared(mixed(), split=KEY)
    assert {one.name: (one.kind, one.gaps) for one in spec.columns} == {
        "area": ("number", "fill"),
        "rooms": ("whole", "refuse"),
        "sold": ("boolean", "category"),
        "colour": ("category", "category"),
        "listed": ("time", "refuse"),
        "told": ("text", "refuse"),
    }
    assert (spec.input_shape, spec.input_dtype) == ((6,), "object")
    assert column(spec, "listed").format == "%d.%m.%Y"
    train = splits["train"].x.frame()
    assert column(spec, "area").missing == pytest.approx(train["area"].isna().mean())
    for name in ("area", "rooms", "sold", "listed"):
        one, values = column(spec, name), train[name].dropna()
        assert (one.low, one.high, one.median) == (values.min(), values.max(), values.median())
        assert (one.mean, one.variance) == pytest.approx((values.mean(), values.var(ddof=0)))
    assert column(spec, "colour").categories == ("red", "green")
    words = column(spec, "told").vocabulary
    assert words[:6] == ("a", "house", "is", "number", "one", "red")
    assert {int(word) for word in words[6:]} == set((splits["train"].y / 10).astype(int))


def test_what_is_written_is_typed_and_in_the_order_of_the_source(prepared):
    _, splits = prepared(mixed())
    test = splits["test"].x.frame()
    assert test.iloc[0].tolist()[1:4] == [30.5, 0, 1]
    assert test["area"][1:2].isna().all()
    assert test["colour"].tolist()[:4] == ["red", "green", "red", None]
    assert test["listed"][0] == pd.Timestamp("2024-02-03").timestamp()
    assert splits["test"].y.tolist() == [n * 10 for n in range(30, 40)]
    for part in splits.values():
        assert (np.diff(part.y) > 0).all()


def test_pieces_of_any_length_give_the_same_bytes(tmp_path):
    found = []
    for size in (9, 40, 17):
        folder = tmp_path / str(size)
        dataset = make_dataset(target="price", split=KEY)
        spec = preparing.prepare("made", in_pieces(mixed(), size), dataset, make_source(), folder)
        files = {str(file.relative_to(folder)): file for file in folder.rglob("*") if file.is_file()}
        found.append((spec, {name: files[name].read_bytes() for name in sorted(files)}))
    assert len(found[0][1]) == 21
    assert found[0][1] == found[1][1] == found[2][1]
    # Of a mean, the last digits depend on where the rows were parted, which is the same on every machine.
    assert found[0][0].test_hash == found[1][0].test_hash == found[2][0].test_hash


@pytest.mark.parametrize(
    "rules",
    [
        {"target": "price", "weight": "rooms"},
        {
            "target": "colour",
            "split": {"method": "shuffle", "groups": ["told"], "test": 0.25, "validation": 0.2},
        },
        {"target": "price", "targets": {"price": [0, 500], "area": [0, 50]}, "gaps": "fill"},
    ],
    ids=["number", "class", "numbers"],
)
def test_above_a_number_of_rows_the_same_splits_are_in_parquet(tmp_path, rules):
    frame, found = mixed().replace({"colour": {"NA": "red"}, "area": {"": "0.5"}}), []
    dataset = make_dataset(**{"split": ORDER} | rules)
    target = "numbers" if dataset.targets else "class" if dataset.target == "colour" else "number"
    for limit in (40, 39):
        folder = tmp_path / str(limit)
        raw = in_pieces(frame, 15)
        spec = preparing.prepare("made", raw, dataset, make_source(), folder, parquet_above=limit)
        data.save_spec(folder, spec, {})
        found.append(data.load(folder, target, *data.SPLITS))
    assert {file.name for file in (tmp_path / "39/train").iterdir()} == {"rows"}
    assert found[0].spec == found[1].spec
    for name, held in found[0].splits.items():
        part = found[1].splits[name]
        pd.testing.assert_frame_equal(part.x.frame(), held.x.frame())
        for one in ("y", "group", "weight"):
            assert np.array_equal(getattr(part, one), getattr(held, one))
            assert np.array_equal(getattr(part[2:5], one), getattr(held[2:5], one))


def test_pieces_of_any_length_give_the_same_bytes_in_parquet(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "GROUP", 8)
    found = []
    for size in (9, 40):
        folder, dataset = tmp_path / str(size), make_dataset(target="price", split=KEY)
        preparing.prepare("made", in_pieces(mixed(), size), dataset, make_source(), folder, parquet_above=0)
        found.append({str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.parquet")})
    assert len(found[0]) == 3
    assert found[0] == found[1]


def test_a_gap_that_only_rows_of_the_test_have_is_refused_and_filled_if_params_say_so(prepared):
    frame = mixed()
    frame.loc[39, "rooms"] = ""
    with pytest.raises(
        EvermodelError, match=r"row 40, column rooms is empty .* gaps: ….* data/made/params\.yaml"
    ):
        prepared(frame)
    for rules in ({"gaps": "fill"}, {"columns": {"rooms": {"gaps": "fill"}}}):
        spec, splits = prepared(frame, **rules)
        assert column(spec, "rooms").gaps == "fill"
        assert np.isnan(splits["test"].x.frame()["rooms"].iloc[-1])


def test_a_field_of_another_kind_is_named_with_its_row(prepared):
    frame = mixed()
    frame.loc[35, "rooms"] = "many"
    with pytest.raises(EvermodelError, match="row 36, column rooms is 'many', no finite number"):
        prepared(frame)
    frame.loc[35, "rooms"] = "2.5"
    assert prepared(frame)[1]["test"].x.frame()["rooms"][5] == 2.5


def test_kinds_are_what_params_say(prepared):
    codes = csv(code=["1", "2"] * 20, day=["20240131", "20240201"] * 20, price=[f"{n}" for n in range(40)])
    spec, splits = prepared(
        codes, columns={"code": {"kind": "category"}, "day": {"kind": "time", "format": "%Y%m%d"}}
    )
    assert [one.kind for one in spec.columns] == ["category", "time"]
    assert spec.columns[0].categories == ("1", "2")
    assert splits["train"].x.frame()["day"].max() == pd.Timestamp("2024-02-01").timestamp()


def test_a_category_that_training_rows_lack_or_have_once_is_written_and_none_of_the_categories(prepared):
    colours = ["blue", *["red", "green"] * 10, *["red"] * 17, "new", "new"]
    spec, splits = prepared(csv(colour=colours, rooms=list("12345678") * 5, price=list("12") * 20))
    assert spec.columns[0].categories == ("red", "green")
    assert splits["test"].x.frame()["colour"].tolist()[-3:] == ["red", "new", "new"]


def test_a_decimal_comma_is_read_where_the_layout_says_so(prepared):
    frame = csv(area=[f"1.0{n:02},5" for n in range(40)], price=[f"{n},25" for n in range(40)])
    spec, splits = prepared(frame, layout=Layout(decimal=",", thousands="."))
    assert splits["test"].x.frame()["area"].tolist() == [1000.5 + n for n in range(30, 40)]
    assert splits["test"].y.tolist() == [n + 0.25 for n in range(30, 40)]
    assert spec.layout.decimal == ","


def test_a_column_that_is_empty_throughout_or_constant_is_prepared_without_a_fault(prepared):
    frame = mixed().assign(nothing="", same="7")
    spec, splits = prepared(frame)
    nothing, same = column(spec, "nothing"), column(spec, "same")
    assert (nothing.kind, nothing.gaps, nothing.missing, nothing.categories) == (
        "category",
        "category",
        1,
        (),
    )
    assert (same.mean, same.variance, same.low, same.high, same.median) == (7, 0, 7, 7, 7)
    assert splits["test"].x.frame()["nothing"].tolist() == [None] * 10
    numbers = pd.DataFrame({"a": np.arange(40.0), "gone": np.nan, "price": np.arange(40.0)})
    empty = prepared(numbers, columns={"gone": {"kind": "number"}})[0].columns[1]
    assert (empty.gaps, empty.low, empty.mean, empty.variance, empty.median) == ("fill", 0, 0, 0, 0)


def test_of_two_times_the_span_between_them_is_told(prepared):
    start = pd.date_range("2024-01-01", periods=40)
    frame = pd.DataFrame({"start": start, "end": start + pd.to_timedelta(np.arange(40) % 2, "h")})
    spec, splits = prepared(frame.assign(price=np.arange(40.0)))
    train = splits["train"].x.frame()
    spans = train["end"] - train["start"]
    assert set(spans) == {0, 3600}
    assert (spec.columns[0].span_mean, spec.columns[0].span_variance) == (0, 0)
    assert spec.columns[1].span_mean == pytest.approx(spans.mean())
    assert spec.columns[1].span_variance == pytest.approx(spans.var(ddof=0))


def test_weights_go_with_their_rows_and_the_column_is_no_feature(prepared):
    frame = mixed().assign(count=[f"{n}" for n in range(40)])
    spec, splits = prepared(frame, weight="count")
    assert "count" not in spec.names
    assert splits["test"].weight.tolist() == list(range(30, 40))
    assert prepared(mixed())[1]["test"].weight is None


@pytest.mark.parametrize(
    ("weight", "told"), [("-1", "is below 0"), ("", "is empty"), ("x", "no finite number")]
)
def test_a_weight_that_is_none_is_refused_with_its_row(prepared, weight, told):
    frame = mixed().assign(count="1")
    frame.loc[8, "count"] = weight
    with pytest.raises(EvermodelError, match=f"row 9, column count .*{told}"):
        prepared(frame, weight="count")


def test_several_numbers_are_targets_and_no_features(prepared):
    frame = mixed().assign(height=[f"{n}" for n in range(40)])
    targets = {"price": [0, 350], "height": [0, 1000]}
    spec, splits = prepared(frame, "numbers", targets=targets)
    assert not {"price", "height"} & set(spec.names)
    assert splits["test"].y.tolist() == [[n * 10, n] for n in range(30, 40)]
    assert splits["train"].y.max() <= 350
    assert spec.target_mean == pytest.approx(splits["train"].y.mean(axis=0))
    frame.loc[3, "height"] = ""
    with pytest.raises(EvermodelError, match="row 4, column height is empty"):
        prepared(frame, "numbers", targets=targets)


@pytest.mark.parametrize("labels", [["1", ""], [1.5, np.nan], ["a", None]])
def test_an_empty_target_is_refused_with_its_row(prepared, labels):
    frame = pd.DataFrame({"a": np.arange(20.0), "price": labels * 10})
    if labels[1] == "":  # a text of a file; a number's task refuses it
        with pytest.raises(EvermodelError, match="holds classes, text"):
            prepared(frame)
    else:
        with pytest.raises(EvermodelError, match="row 2, column price is empty, but is the target"):
            prepared(frame)


def test_the_same_labels_are_one_class_in_whatever_piece_and_stored_as_whatever(prepared):
    labels = [1.0, 2.0] * 10 + [2.5, 1.0] * 10
    spec, splits = prepared(pd.DataFrame({"a": np.arange(40.0), "price": labels}), "class")
    assert spec.classes == ("1", "2", "2.5")
    assert splits["test"].y.tolist() == [2, 0] * 5


def test_rows_by_hash_are_where_their_key_says_however_many_there_are(prepared):
    few, many = (prepared(mixed(count), split=KEY)[1] for count in (40, 60))
    for part in data.SPLITS:
        kept = [value for value in many[part].y if value < 400]
        assert kept == few[part].y.tolist()
        assert len(kept)
    shuffled = prepared(mixed().sample(frac=1, random_state=1), split=KEY)[1]
    assert sorted(shuffled["test"].y) == few["test"].y.tolist()


def test_a_place_is_the_md5_of_seed_and_values_as_any_engine_has_it():
    frame = pd.DataFrame(
        {
            "id": [7, 8],
            "area": [0.1, 2.0],
            "day": pd.to_datetime(["2024-01-31 00:00:00.0", "2024-01-31 12:30:00.5"]),
            "sold": [True, False],
            "name": ["ä", None],
        }
    )
    texts = ["3|7|0.1|2024-01-31 00:00:00|True|ä", "3|8|2|2024-01-31 12:30:00.500000|False|"]
    expected = [int(hashlib.md5(text.encode()).hexdigest()[:7], 16) for text in texts]
    assert split.places(3, frame).tolist() == expected
    assert (split.places(4, frame) != expected).all()


def test_a_share_of_hashes_is_about_the_share_that_is_asked_for():
    place = split.places(0, pd.DataFrame({"id": np.arange(20_000)}))
    rule = make_dataset(split=KEY).split
    parts = split.split_rows("made", rule, split.Facts(20_000, place=place))
    shares = {part: len(index) / 20_000 for part, index in parts.items()}
    assert shares == pytest.approx({"train": 0.6, "validation": 0.15, "test": 0.25}, abs=0.01)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(20_000))


def test_by_time_the_latest_rows_are_the_test(prepared):
    rule = {"method": "time", "time": "listed", "test": 0.25, "validation": 0.2}
    frame = mixed(28).assign(listed=[f"{28 - n:02}.02.2024" for n in range(28)])
    for rules in ({}, {"columns": {"listed": {"format": "%d.%m.%Y"}}}, {"drop": ["listed"]}):
        _, splits = prepared(frame, split=rule, **rules)
        assert splits["test"].y.tolist() == [n * 10 for n in range(7)]
        assert splits["validation"].y.tolist() == [n * 10 for n in range(7, 11)]
    frame.loc[9, "listed"] = ""
    with pytest.raises(EvermodelError, match="row 10, column listed is empty"):
        prepared(frame, split=rule)


def test_strata_are_those_of_scikit_learn_by_the_labels_themselves():
    labels = np.array(["z", "a", "m", "a"] * 20, dtype=object)
    dataset = make_dataset(
        target="y", split={"method": "shuffle", "stratify": True, "test": 0.25, "validation": 0.2}
    )
    facts = tables.survey(
        tables.Table("made", in_pieces(pd.DataFrame({"a": np.arange(80.0), "y": labels})), dataset)
    ).facts
    by_number = split.split_rows("made", dataset.split, facts)
    by_label = split.split_rows("made", dataset.split, split.Facts(80, y=labels))
    assert all(np.array_equal(by_number[part], by_label[part]) for part in data.SPLITS)


def test_groups_are_known_again_in_whatever_piece_and_of_whatever_type(prepared):
    frame = mixed().assign(owner=[f"{n % 8}" for n in range(40)])
    rule = {"method": "shuffle", "test": 0.25, "validation": 0.2, "groups": ["owner"]}
    spec, splits = prepared(frame, split=rule)
    assert spec.groups == {"train": 5, "validation": 1, "test": 2}
    for part in splits.values():
        assert part.group.tolist() == (part.y / 10 % 8).tolist()
    stored = frame.assign(owner=np.arange(40) % 8.0)
    assert prepared(stored, split=rule)[1]["test"].group.tolist() == splits["test"].group.tolist()


def test_of_classes_in_groups_the_groups_are_counted(prepared):
    frame = mixed().assign(owner=[f"{n // 4}" for n in range(40)], price=["ill", "well"] * 18 + ["ill"] * 4)
    rule = {"method": "order", "test": 0.3, "validation": 0.2, "groups": ["owner"]}
    spec, _ = prepared(frame, "class", split=rule)
    assert spec.classes == ("ill", "well")
    assert spec.class_rows == {"train": (6, 6), "validation": (1, 1), "test": (3, 2)}


def test_copies_among_few_rows_are_counted_and_among_many_estimated(prepared, monkeypatch):
    kinds = np.arange(400) % 100  # all but the first hundred are copies
    frame = pd.DataFrame({"a": kinds / 7, "b": kinds.astype(str), "price": np.arange(400.0)})
    assert prepared(frame, pieces=150)[0].duplicates == 100
    monkeypatch.setattr(tables, "SAMPLE", 200)
    found = prepared(frame, pieces=150)[0].duplicates
    assert 50 < found < 150
    assert found % 2 == 0, "each one that is found stands for two"
    with pytest.raises(
        EvermodelError, match=r"test rows are also training rows, more than duplicates = 0\.1"
    ):
        prepared(frame, pieces=150, duplicates=0.1)


def test_rows_are_identified_by_their_bytes_and_their_label_as_text(prepared):
    spec, splits = prepared(mixed())
    whole = hashlib.sha256()
    for x, y in zip(splits["test"].x.encoded(), splits["test"].y, strict=True):
        whole.update(hashlib.sha256(x + b"\0" + f"{y:.0f}".encode()).digest())
    assert spec.test_hash == whole.hexdigest()


@pytest.mark.parametrize(
    ("rules", "key"),
    [
        ({"drop": ["lost"]}, "drop"),
        ({"weight": "lost"}, "weight"),
        ({"columns": {"lost": {"kind": "text"}}}, "columns"),
        ({"targets": {"lost": [0, 1]}}, "targets"),
        ({"split": KEY | {"key": ["lost"]}}, r"split\.key"),
        ({"split": {"method": "time", "time": "lost", "test": 0.2, "validation": 0.1}}, r"split\.time"),
        ({"split": ORDER | {"groups": ["lost"]}}, r"split\.groups"),
        ({"expect": {"min_rows": 1, "gaps": {"lost": 0.1}}}, r"expect\.gaps"),
    ],
)
def test_a_column_that_is_not_there_is_named_with_its_key(prepared, rules, key):
    with pytest.raises(
        EvermodelError, match=rf"no column 'lost'; set {key} in data/made/params\.yaml to one of id"
    ):
        prepared(mixed(), **rules)


def test_a_piece_without_training_rows_is_nothing_special(prepared):
    frame = mixed().assign(split=["train"] * 20 + ["test"] * 20)
    spec, splits = prepared(frame, split={"method": "predefined", "validation": 0.2})
    assert spec.rows == {"train": 16, "validation": 4, "test": 20}
    assert splits["test"].y.tolist() == [n * 10 for n in range(20, 40)]
