import numpy as np
import pandas as pd
import pytest

from evermodel.core import data, generation, rows
from evermodel.core.columns import Column
from evermodel.core.data import Identity, Split
from evermodel.core.errors import EvermodelError
from evermodel.core.rows import Rows
from tests.settings import refusal
from tests.specs import make_spec
from tests.stored import stored

COLUMNS = (Column(name="a", mean=1 / 3), Column(name="b"), Column(name="of", kind="category"))
TABLE = pd.DataFrame({"a": [0.1, np.pi, 4.0], "b": [-2.0, np.nan, 5e-9], "of": ["tin", None, "Ünïcødé"]})
X = {
    "table": rows.of(TABLE, COLUMNS),
    "images": np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5, 1),
    "text": np.array(["plain", "", "Ünïcødé 🎉\nsecond line"], dtype=object),
}
Y = np.array([0, 1, 1], dtype=np.int64)
LABELS = np.array(["no", "yes", "yes"], dtype=object)


def spec(kind):
    shape = (3,) if kind == "table" else X[kind].shape[1:]
    metadata = {"input_shape": shape, "classes": ("no", "yes"), "rows": dict.fromkeys(data.SPLITS, 3)}
    metadata |= {"columns": COLUMNS} if kind == "table" else {}
    metadata |= {"vocabulary": ("naïve", "word"), "test_hash": data.split_hash(X[kind], LABELS)}
    return make_spec(kind, **metadata)


def saved(folder, kind):
    folder.mkdir()
    data.save(folder, spec(kind), dict.fromkeys(data.SPLITS, Split(X[kind], Y)))
    return folder


def same(one, other):
    """Whether examples are equal, gaps included."""
    if isinstance(one, Rows):
        return one.frame().equals(other.frame())
    return one.dtype == other.dtype and np.array_equal(one, other)


def sketch(x, y):
    identity = Identity()
    identity.add(x, y)
    return identity.sketch


def contents(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.mark.parametrize("kind", X)
def test_what_was_saved_is_loaded(tmp_path, kind):
    folder = saved(tmp_path / "made", kind)
    assert data.load_spec(folder, "class") == spec(kind)
    for name in data.SPLITS:
        split = data.load_split(folder, name, "class")
        assert same(split.x, X[kind])
        assert split.y.tolist() == [0, 1, 1]
        assert same(data.load_inputs(folder, name), X[kind])


@pytest.mark.parametrize("kind", X)
def test_the_same_values_give_the_same_bytes(tmp_path, kind):
    once, twice = (contents(saved(tmp_path / name, kind)) for name in ("once", "twice"))
    assert len(once) == (13 if kind == "table" else 7)
    assert once == twice


def test_loaded_rows_can_not_be_changed(tmp_path):
    split = data.load_split(saved(tmp_path / "made", "table"), "train", "class")
    with pytest.raises(ValueError, match="read-only"):
        split.x.numbers[0] = 0


def test_what_belongs_together_is_loaded_together(tmp_path):
    loaded = data.load(saved(tmp_path / "made", "images"), "class", "train", "test")
    assert loaded.spec == spec("images")
    assert list(loaded.splits) == ["train", "test"]
    assert loaded.weights == {}


def test_pretrained_weights_are_found_by_their_base_under_their_own_name(tmp_path):
    (tmp_path / "some_long_name.weights.h5").write_bytes(b"weights")
    folder = tmp_path / "made"
    folder.mkdir()
    splits = {"test": Split(X["images"], Y)}
    data.save(folder, spec("images"), splits, {"VGG16": tmp_path / "some_long_name.weights.h5"})
    weights = data.load(folder, "class").weights
    assert {base: file.read_bytes() for base, file in weights.items()} == {"VGG16": b"weights"}
    assert weights["VGG16"].name == "some_long_name.weights.h5", (
        "Keras tells the layout by the end of the name"
    )
    assert (tmp_path / "some_long_name.weights.h5").exists()


@pytest.mark.parametrize(
    ("y", "target", "told"),
    [
        (np.array([[1.5, 0], [2, 1], [3, 1]]), "numbers", {"targets": ("age", "gender")}),
        (np.zeros((3, 4, 5, 1), np.uint8), "mask", {"masks": True}),
    ],
)
def test_targets_of_any_shape_come_back(tmp_path, y, target, told):
    data.save(tmp_path, spec("images").model_copy(update=told), {"test": Split(X["images"], y)})
    split = data.load_split(tmp_path, "test", target)
    assert (split.y.dtype, len(split)) == (y.dtype, 3)
    assert np.array_equal(split.y, y)


@pytest.mark.parametrize("lost", ["spec.json", "test/x.parquet", "test/class.npy"])
def test_a_file_that_is_lost_is_named(tmp_path, lost):
    folder = saved(tmp_path / "made", "text")
    (folder / lost).unlink()
    with pytest.raises(EvermodelError, match=f"{lost} is missing; `dvc repro` makes it"):
        data.load_split(folder, "test", "class")


@pytest.fixture
def stored_test(tmp_path):
    """A table whose test rows are in Parquet."""
    of_numbers = {"target_mean": (1.0,), "target_sd": (1.0,)}
    data.save(tmp_path, spec("table").model_copy(update=of_numbers), {})
    stored(tmp_path / "test" / data.STORED, COLUMNS, Split(X["table"], Y, weight=np.arange(3.0)))
    return tmp_path


def test_stored_rows_are_loaded_as_those_that_are_mapped(stored_test):
    split = data.load_split(stored_test, "test", "class")
    assert (len(split), split.y.tolist(), split.group) == (3, [0, 1, 1], None)
    assert same(split.x, X["table"])
    assert same(data.load_inputs(stored_test, "test"), X["table"])
    assert data.split_hash(split.x, LABELS) == spec("table").test_hash
    some = split[np.array([2, 0])]
    assert (some.y.tolist(), some.weight.tolist(), some.group) == ([1, 0], [2, 0], None)
    assert some.x.frame()["a"].tolist() == [4.0, 0.1]


def test_stored_rows_without_what_is_asked_are_refused(stored_test):
    sentence = refusal(data.load_split, stored_test, "test", "number")
    assert "test/rows has no column number" in sentence
    next(stored_test.rglob("*.parquet")).unlink()
    assert "has 0 rows, but by spec.json beside it there are 3" in refusal(
        data.load_inputs, stored_test, "test"
    )


@pytest.mark.parametrize("kind", X)
def test_any_other_example_target_or_order_is_another_split(kind):
    x, y = X[kind], LABELS
    others = [(x[[0, 1, 0]], y), (x, y[[0, 1, 0]]), (x[::-1], y), (x[:2], y[:2])]
    hashes = {data.split_hash(*split) for split in ((x, y), *others)}
    assert len(hashes) == 5
    assert data.split_hash(x[:], y.copy()) in hashes


def test_equal_examples_and_only_they_have_equal_hashes():
    hashes = [*data.row_hashes(np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0]]))]
    assert hashes[0] == hashes[2] != hashes[1]


@pytest.mark.parametrize("kind", X)
def test_a_row_has_the_same_place_in_a_sketch_in_whatever_order_and_beside_whatever_others(kind):
    whole = sketch(X[kind], LABELS)
    assert len(whole) == 3
    assert sketch(X[kind][::-1], LABELS[::-1]) == whole == tuple(sorted(whole))
    for row in range(3):
        assert set(sketch(X[kind][row : row + 1], LABELS[row : row + 1])) < set(whole)
    assert len(set(whole) & set(sketch(X[kind], LABELS[[0, 1, 0]]))) == 2, "another target, another row"
    assert len(sketch(X[kind][[0, 0]], LABELS[[0, 0]])) == 1


def test_a_sketch_is_the_same_on_every_machine():
    # printf 'plain\0no' | sha256sum | cut -c-16
    assert sketch(X["text"][:1], LABELS[:1]) == ("4c26c2910c526d3d",)


def test_sketches_of_two_editions_have_as_much_in_common_as_the_editions():
    x = np.arange(3000, dtype=np.float64).reshape(-1, 1)
    old, new = (sketch(rows, rows[:, 0]) for rows in (x[:2000], x[1000:]))
    assert len(old) == len(new) == data.SKETCH
    assert 16 <= len({*old} & {*new}) <= 48, "half of 64, within four deviations"
    longer = sketch(x, x[:, 0])
    assert {*longer} <= {*old, *new}


def test_a_file_is_known_by_its_sha256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    # The first test vector of FIPS 180-2, appendix B.1.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert data.file_hash(tmp_path / "abc") == expected


def test_a_file_may_be_known_by_its_md5(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    # RFC 1321, appendix A.5.
    assert data.file_hash(tmp_path / "abc", "md5") == "900150983cd24fb0d6963f7d28e17f72"


def test_a_folder_appears_when_it_is_complete(tmp_path):
    with data.whole_folder(tmp_path / "deep" / "made") as folder:
        (folder / "file").write_text("new")
        assert not (tmp_path / "deep" / "made").exists()
    assert contents(tmp_path) == {"deep/made/file": b"new"}


def test_a_complete_folder_replaces_all_of_the_old_one(tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "old").touch()
    with data.whole_folder(tmp_path / "made") as folder:
        (folder / "new").touch()
    assert set(contents(tmp_path)) == {"made/new"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_folder_and_nothing_half_written(tmp_path, error):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "old").write_text("whole")

    def fail_half_way():
        with data.whole_folder(tmp_path / "made") as folder:
            (folder / "new").touch()
            raise error

    with pytest.raises(error):
        fail_half_way()
    assert contents(tmp_path) == {"made/old": b"whole"}
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_what_a_killed_process_left_behind_does_not_get_in(tmp_path):
    (tmp_path / "made.partial").mkdir()
    (tmp_path / "made.partial" / "stale").touch()
    with data.whole_folder(tmp_path / "made") as folder:
        (folder / "new").touch()
    assert set(contents(tmp_path)) == {"made/new"}
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_labels_are_numbers_for_a_task_that_predicts_one_and_of_no_matter_for_one_that_does_not(tmp_path):
    described = spec("table").model_copy(
        update={"classes": ("3", "5"), "target_mean": (4.0,), "target_sd": (1.0,)}
    )
    split = Split(X["table"], np.array([1, 0, 1]), np.array([0, 0, 1]))
    data.save(tmp_path, described, {"test": split})
    data.save_column(tmp_path / "test", "number", np.array([5.0, 3.0, 5.0]))
    number, named = (data.load(tmp_path, target, "test") for target in ("number", "class"))
    assert number.splits["test"].y.tolist() == [5.0, 3.0, 5.0]
    assert (number.spec.classes, number.spec.target_mean) == ((), (4.0,))
    assert named.splits["test"].y.tolist() == [1, 0, 1]
    assert (named.spec.classes, named.spec.target_mean) == (("3", "5"), ())
    assert named.splits["test"].group.tolist() == [0, 0, 1]
    assert data.load(tmp_path, "image", "test").spec.classes == ()


@pytest.mark.parametrize("target", ["number", "numbers", "mask"])
def test_data_without_what_a_task_predicts_are_refused(tmp_path, target):
    with pytest.raises(EvermodelError, match=r"data set made.* data/made/params\.yaml"):
        data.load_spec(saved(tmp_path / "made", "images"), target)


def test_what_makes_examples_is_asked_by_seeds_and_everything_else_as_it_learned():
    spec = make_spec("images", classes=("a", "b"), class_rows={"train": (1, 2)}).predicting("example")
    assert (spec.classes, spec.class_rows) == (("a", "b"), {})
    asked = spec.asked("example")
    assert (asked.kind, asked.names, asked.input_shape) == ("table", ("seed",), (1,))
    assert (asked.classes, asked.test_hash) == ((), spec.test_hash)
    assert spec.asked("image") is spec


def test_what_draws_is_asked_by_a_seed_and_a_caption_of_words_that_are_known():
    captions = ("a red Bag", "seven and a bag")
    spec = make_spec("images", classes=captions).predicting("captioned")
    assert spec.classes == captions
    asked = spec.asked("captioned")
    assert (asked.kind, asked.names, asked.classes) == ("table", ("seed", "caption"), ())
    assert asked.columns[1].categories == captions
    assert asked.columns[1].vocabulary == ("a", "and", "bag", "red", "seven")
    rows = generation.seeds(3, asked.columns)
    assert rows["caption"].tolist() == [*captions, captions[0]]
    assert rows["seed"].tolist() == [0, 1, 2]


def test_what_writes_is_asked_by_a_seed_and_a_prompt_which_may_be_empty():
    spec = make_spec("text", classes=("a", "b"), class_rows={"train": (1, 2)}).predicting("text")
    assert spec.classes == ()
    asked = spec.asked("text")
    assert (asked.kind, asked.names, asked.input_shape) == ("table", ("seed", "prompt"), (2,))
    assert [column.gaps for column in asked.columns] == ["refuse", "fill"]
    rows = generation.seeds(2, asked.columns)
    assert (list(rows), rows["seed"].tolist()) == (["seed", "prompt"], [0, 1])
    assert rows["prompt"].isna().all()
