from contextlib import chdir
from copy import deepcopy

import pytest

from evermodel.core.errors import EvermodelError
from evermodel.datasets import dataset
from evermodel.datasets.source import PROVENANCE, Query, RemoteFile, Source, provenance
from tests.settings import DATASET, put, refusal

QUERY = {"url": "SHOP", "sql": "SELECT 1"}


def first_file(entry):
    return entry["editions"][0]["files"][0]


def broken(folder, change):
    """What is said of a source that was changed."""
    values = deepcopy(DATASET)
    change(values["source"])
    with chdir(folder):
        put("data/houses", values, {})
        return refusal(dataset.load, "houses", "sample").removeprefix("data/houses/params.yaml: source")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda entry: entry.pop("licence"), ".licence"),
        (lambda entry: entry.update(license="MIT"), ".license"),
        (lambda entry: entry.update(editions=[]), ".editions"),
        (lambda entry: first_file(entry).update(sha256="baad"), ".editions.0.files.0.sha256"),
        (lambda entry: first_file(entry).update(bytes=-1), ".editions.0.files.0.bytes"),
        (lambda entry: first_file(entry).update(name="../x"), ".editions.0.files.0.name"),
        (lambda entry: first_file(entry).update(name=".hidden"), ".editions.0.files.0.name"),
        (lambda entry: first_file(entry).update(name="a/b"), ".editions.0.files.0.name"),
        (lambda entry: first_file(entry).update(folder="../x"), ".editions.0.files.0.folder"),
        (lambda entry: first_file(entry).update(md5="0" * 32), ".editions.0.files.0"),
        (lambda entry: first_file(entry).pop("sha256"), ".editions.0.files.0"),
        (lambda entry: first_file(entry).update(sha256=int("1" * 64)), ".editions.0.files.0.sha256"),
        (lambda entry: first_file(entry).update(bytes="12 MB"), ".editions.0.files.0.bytes"),
        (lambda entry: first_file(entry).update(urls="https://x"), ".editions.0.files.0.urls"),
        (lambda entry: entry["editions"][0].update(files={"name": "x"}), ".editions.0.files"),
        (lambda entry: entry["editions"][0].update(files=[]), ".editions.0.files"),
        (lambda entry: entry["editions"][0].update(files=["x.csv"]), ".editions.0.files.0"),
        (lambda entry: entry["editions"][0]["files"].append(first_file(entry)), ".editions.0.files"),
        (lambda entry: entry["editions"].append(entry["editions"][0]), ".editions"),
        (lambda entry: entry.update(reader="tables"), ".reader"),
        (lambda entry: entry.update(reader="../table"), ".reader"),
        (lambda entry: entry.update(reader=3), ".reader"),
        (lambda entry: entry["sample"].update(generator="castles"), ".sample.generator"),
        (
            lambda entry: entry["editions"][0]["options"].update(seperator=";"),
            ".editions.0.options.seperator",
        ),
        (
            lambda entry: (entry.update(reader="cifar10"), entry["editions"][0].pop("options")),
            ".editions.0.options.archive",
        ),
        (lambda entry: first_file(entry).update(path=["x"]), ".editions.0.files.0.path"),
        (lambda entry: entry["editions"][0].pop("files"), ".editions.0"),
        (lambda entry: entry["editions"][0].update(query=QUERY), ".editions.0"),
        (lambda entry: entry["editions"].insert(0, {"name": "shop", "query": QUERY}), ".sample"),
        (
            lambda entry: entry["editions"].append({"name": "shop", "query": {"sql": "SELECT 1"}}),
            ".editions.1.query.url",
        ),
        (
            lambda entry: entry["editions"].append({"name": "shop", "query": QUERY | {"url": "my shop"}}),
            ".editions.1.query",
        ),
        (
            lambda entry: entry["editions"].append(
                {"name": "shop", "query": QUERY | {"url": "postgresql://me:secret@host/shop"}}
            ),
            ".editions.1.query",
        ),
        (lambda entry: entry["editions"][0].update(options=["a"]), ".editions.0.options"),
        (lambda entry: entry["editions"][0].update(weights={"VGG16": "x.h5"}), ".editions.0.weights.VGG16"),
        (lambda entry: entry["sample"].update(always="maybe"), ".sample.always"),
        (
            lambda entry: entry["editions"][0].update(weights={"VGG16": "../x.h5"}),
            ".editions.0.weights.VGG16",
        ),
    ],
)
def test_a_wrong_entry_is_named_by_its_key(tmp_path, change, where):
    assert broken(tmp_path, change).startswith(f"{where} ")


def test_a_file_is_known_by_the_hash_that_its_publisher_tells():
    by_md5 = RemoteFile(name="x", bytes=1, md5="0" * 32)
    by_sha256 = RemoteFile(name="x", bytes=1, sha256="1" * 64)
    assert (by_md5.algorithm, by_md5.digest) == ("md5", "0" * 32)
    assert (by_sha256.algorithm, by_sha256.digest) == ("sha256", "1" * 64)


def test_a_hash_may_be_copied_in_capitals_and_in_groups():
    groups = " ".join(["BAADF00D"] * 8)
    assert RemoteFile(name="x", bytes=1, sha256=f" {groups}\n").digest == "baadf00d" * 8


@pytest.mark.parametrize("content", [None, "", "{}"])
def test_what_fetch_should_have_written_is_named_with_the_stage_that_writes_it(tmp_path, content):
    if content is not None:
        (tmp_path / PROVENANCE).write_text(content)
    with pytest.raises(EvermodelError, match=rf"{PROVENANCE} is .*dvc\.yaml:fetch`"):
        provenance(tmp_path)


def test_a_password_is_not_shown_again(tmp_path):
    url = "postgresql://me:secret@host/shop"
    shop = {"name": "shop", "query": QUERY | {"url": url}}
    refused = broken(tmp_path, lambda entry: entry["editions"].append(shop))
    assert "secret" not in refused
    assert "name the environment variable" in refused


def test_a_data_set_may_be_a_query_alone():
    values = deepcopy(DATASET["source"]) | {"sample": None, "editions": [{"name": "shop", "query": QUERY}]}
    assert Source.model_validate(values).editions[0].query == Query(**QUERY)
