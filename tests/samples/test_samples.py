import importlib
from contextlib import chdir
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from evermodel import fetching
from evermodel.core import data, fields, folders
from evermodel.datasets import dataset
from evermodel.datasets.source import provenance
from evermodel.models import tfidf_linear
from evermodel.preparing import preparing

ROOT = Path(__file__).parents[2]
with chdir(ROOT):
    DATASETS = {name: dataset.load(name, "sample") for name in folders.names(folders.DATASETS)}
SOURCES = {name: one.source for name, one in DATASETS.items()}
SAMPLED = sorted(name for name, source in SOURCES.items() if source.sample)
# One data set for each generator: two may have the same sample.
WRITTEN = sorted({SOURCES[name].sample.generator: name for name in SAMPLED}.values())


# A split by group may keep a class for the test, and masks and several numbers are no classes.
LABELLED = [
    name
    for name in SAMPLED
    if (one := DATASETS[name]).target == "label" and not one.split.groups and not one.targets
]


@pytest.fixture(scope="module")
def read(drawn):
    @cache
    def reader(name):
        found = provenance(folder := drawn(name))
        return importlib.import_module(f"evermodel.readers.{found.reader}").read(folder, **found.options)

    return reader


@pytest.fixture(scope="module")
def prepared(drawn, read, tmp_path_factory):
    """The folder of a prepared sample, and its spec."""

    @cache
    def prepare(name):
        folder = tmp_path_factory.mktemp(name)
        spec = preparing.prepare(name, read(name), DATASETS[name], provenance(drawn(name)), folder)
        data.save_spec(folder, spec, {})
        return folder, spec

    return prepare


@pytest.fixture
def splits(prepared):
    """The training and the test rows of a sample."""

    def cut(name, target="class"):
        parts = data.load(prepared(name)[0], target, "train", "test").splits
        return parts["train"], parts["test"]

    return cut


def rows(raw):
    """A row for each example, also of a table."""
    return raw.manifest if raw.pieces is None else pd.concat(raw.pieces())


def arrays(x):
    """Examples as one array (n, numbers)."""
    return x.numbers if isinstance(x, data.Rows) else x.reshape(len(x), -1)


@pytest.mark.zoo  # minutes of drawing
@pytest.mark.parametrize("name", WRITTEN)
def test_a_second_run_writes_the_same_bytes(drawn, tmp_path, name):
    np.random.seed(1)  # nobody else's random numbers matter
    fetching.fetch(name, SOURCES[name], "sample", tmp_path)
    first = {file.name: file.read_bytes() for file in drawn(name).iterdir()}
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == first


@pytest.mark.parametrize("name", SAMPLED)
def test_a_sample_is_small(drawn, name):
    assert sum(file.stat().st_size for file in drawn(name).iterdir()) < 5_000_000


@pytest.mark.parametrize("name", SAMPLED)
def test_the_reader_of_the_real_data_reads_the_sample(read, name):
    manifest = rows(read(name))
    assert len(manifest) >= DATASETS[name].expect.min_rows
    assert not manifest.isna().any(axis=None)


@pytest.mark.parametrize("name", SAMPLED)
def test_all_files_of_a_sample_can_be_used(read, name):
    assert read(name).rejected == ()


@pytest.mark.parametrize("name", SAMPLED)
def test_a_sample_is_prepared_without_complaint(drawn, read, prepared, name):
    folder, spec = prepared(name)
    window = DATASETS[name].window or 0
    assert sum(spec.rows.values()) == len(rows(read(name))) - window
    weights = provenance(drawn(name)).weights
    assert (set(weights) - {"judge"}, spec.synthetic) == (set(), SOURCES[name].sample.synthetic)
    splits = data.load(folder, "image", *data.SPLITS).splits
    assert all(len(split.x) == len(split.y) > 0 for split in splits.values())


@pytest.mark.parametrize("name", SAMPLED)
def test_no_example_is_there_twice(read, name):
    manifest = rows(read(name))
    assert not manifest.duplicated("sha256" if "sha256" in manifest else None).any()


@pytest.mark.parametrize("name", LABELLED)
def test_every_class_is_in_the_training_and_the_test_rows(splits, name):
    train, test = splits(name)
    assert len(set(test.y)) - len(set(train.y)) == len(DATASETS[name].novel)
    assert set(train.y) <= set(test.y)
    assert len(test) / len(set(test.y)) > 4


@pytest.mark.parametrize("name", [name for name in SAMPLED if DATASETS[name].expect.ranges])
def test_the_numbers_of_a_table_lie_where_the_real_ones_do(read, name):
    manifest = rows(read(name))
    for column, (low, high) in DATASETS[name].expect.ranges.items():
        assert fields.numbers(manifest[column]).between(low, high).all(), column


@pytest.mark.parametrize("name", [name for name in SAMPLED if DATASETS[name].expect.shape])
def test_the_images_have_the_size_of_the_real_ones(read, name):
    raw = read(name)
    assert raw.inputs.dtype == np.uint8
    assert raw.inputs.shape[1:-1] == DATASETS[name].expect.shape
    assert raw.inputs.shape[-1] in (1, 3)
    assert raw.targets is None or raw.targets.shape == (*raw.inputs.shape[:-1], 1)


@pytest.mark.parametrize(
    ("name", "accuracy"), [("letter_recognition", 0.7), ("mnist", 0.85), ("fashion_mnist", 0.7)]
)
def test_the_nearest_example_mostly_has_the_same_label(splits, name, accuracy):
    train, test = splits(name)
    nearest = KNeighborsClassifier(1).fit(arrays(train.x), train.y)
    assert nearest.score(arrays(test.x), test.y) > accuracy


def test_no_straight_line_explains_the_prices_of_houses(splits):
    train, test = splits("boston_housing", "number")
    models = LinearRegression(), RandomForestRegressor(100, random_state=0)
    line, forest = (
        np.abs(model.fit(train.x.numbers, train.y).predict(test.x.numbers) - test.y).mean()
        for model in models
    )
    assert forest < 0.7 * line


def test_whether_a_word_occurs_tells_more_than_how_often(splits):
    train, test = splits("imdb")
    counted = tfidf_linear.build((), "binary").fit(train.x, train.y).score(test.x, test.y)
    words = CountVectorizer(binary=True).fit(train.x)
    model = LogisticRegression(C=0.01, max_iter=1000).fit(words.transform(train.x), train.y)
    assert counted > 0.8
    assert model.score(words.transform(test.x), test.y) > counted + 0.03
