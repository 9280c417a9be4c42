import contextlib
import json
import runpy
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from evermodel.runs import archive

# Each makes a model and saves it, as it is and canonised.
KERAS = """
import pathlib, shutil
import keras
from evermodel.runs import archive

keras.backend.clear_session()  # its counters become names of layers
keras.utils.set_random_seed(1)
shared = keras.layers.Dense(3, activation="relu")
inputs = keras.Input((3,))
outputs = keras.layers.Dropout(0.5)(shared(shared(inputs)))
keras.Model(inputs, outputs, name="made").save("plain.keras")
shutil.copy("plain.keras", "model.keras")
archive.canonise(pathlib.Path("model.keras"))
"""
SKOPS = """
import pathlib, shutil
import skops.io
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from evermodel.runs import archive

texts = ["a good film", "a bad film", "it is a film"] * 4
model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [2, 1, 0] * 4)
skops.io.dump(model, "plain.skops")
shutil.copy("plain.skops", "model.skops")
archive.canonise(pathlib.Path("model.skops"))
"""


def made_twice(script, folder):
    """The folders in which two processes, another and this one, ran the script."""
    (folder / "script.py").write_text(script)
    folders = [folder / "once", folder / "twice"]
    for each in folders:
        each.mkdir()
    command = [sys.executable, folder / "script.py"]
    done = subprocess.run(command, cwd=folders[0], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with contextlib.chdir(folders[1]):
        runpy.run_path(folder / "script.py")
    return folders


@pytest.fixture(scope="module")
def keras_files(keras, tmp_path_factory):
    return made_twice(KERAS, tmp_path_factory.mktemp("keras"))


@pytest.fixture(scope="module")
def skops_files(tmp_path_factory):
    return made_twice(SKOPS, tmp_path_factory.mktemp("skops"))


def zipped(file, members, **options):
    with zipfile.ZipFile(file, "w", **options) as archive_:
        for name, content in members.items():
            archive_.writestr(name, content)
    return file


def unzipped(file):
    with zipfile.ZipFile(file) as archive_:
        return {name: archive_.read(name) for name in archive_.namelist()}


def test_two_processes_write_the_same_keras_file(keras_files):
    once, twice = keras_files
    assert (once / "plain.keras").read_bytes() != (twice / "plain.keras").read_bytes()
    assert (once / "model.keras").read_bytes() == (twice / "model.keras").read_bytes()


def test_two_processes_write_the_same_skops_file(skops_files):
    once, twice = skops_files
    assert (once / "plain.skops").read_bytes() != (twice / "plain.skops").read_bytes()
    assert (once / "model.skops").read_bytes() == (twice / "model.skops").read_bytes()


def test_a_canonical_keras_file_is_the_same_model(keras, keras_files):
    x = np.random.default_rng(0).normal(size=(5, 3))
    plain, model = (keras.saving.load_model(keras_files[0] / f"{name}.keras") for name in ("plain", "model"))
    assert np.array_equal(plain(x), model(x))
    assert len(model.layers) == len(plain.layers), "a shared layer stays one"


def test_a_canonical_skops_file_is_the_same_model(skops_files):
    import skops.io

    x = ["a good film", "bad", "is it"]
    plain, model = (skops.io.load(skops_files[0] / f"{name}.skops") for name in ("plain", "model"))
    assert np.array_equal(plain.predict_proba(x), model.predict_proba(x))


@pytest.mark.parametrize("kind", ["keras", "skops"])
def test_canonising_twice_changes_nothing(request, kind):
    file = request.getfixturevalue(f"{kind}_files")[0] / f"model.{kind}"
    before = file.read_bytes()
    archive.canonise(file)
    assert file.read_bytes() == before


def test_neither_order_nor_packing_of_the_members_matters(tmp_path):
    members = {"a.json": b'{"x": 1}', "weights.h5": bytes(1000), "b.json": b"[]", "assets/words.txt": b"a"}
    first = zipped(tmp_path / "first", members)
    other = zipped(
        tmp_path / "other", dict(reversed(members.items())), compression=zipfile.ZIP_DEFLATED, compresslevel=9
    )
    for file in (first, other):
        archive.canonise(file)
    assert first.read_bytes() == other.read_bytes()
    assert unzipped(first)["weights.h5"] == bytes(1000)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["first", "other"]


def test_addresses_are_numbered_as_they_come_and_files_follow(tmp_path):
    schema = {"list": [{"__id__": 9_000, "file": "9000.npy"}, {"__id__": 70}, {"__id__": 9_000}]}
    file = zipped(tmp_path / "model", {"schema.json": json.dumps(schema), "9000.npy": b"array"})
    archive.canonise(file)
    members = unzipped(file)
    assert json.loads(members["schema.json"]) == {
        "list": [{"__id__": 1, "file": "1.npy"}, {"__id__": 2}, {"__id__": 1}]
    }
    assert members["1.npy"] == b"array"


def test_what_is_no_address_keeps_its_value(tmp_path):
    config = {"units": 70, "shared_object_id": 70, "name": "70", "nested": {"rates": [70, 0.5, None, True]}}
    file = zipped(tmp_path / "model", {"config.json": json.dumps(config)})
    archive.canonise(file)
    assert json.loads(unzipped(file)["config.json"]) == config | {"shared_object_id": 1}


def test_the_time_of_saving_does_not_matter(tmp_path):
    times = ["2024-02-29@12:00:00", "2031-01-01@00:00:01"]
    files = [
        zipped(tmp_path / str(number), {"metadata.json": json.dumps({"date_saved": saved})})
        for number, saved in enumerate(times)
    ]
    for file in files:
        archive.canonise(file)
    assert files[0].read_bytes() == files[1].read_bytes()
