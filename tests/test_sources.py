from pathlib import Path

import pytest
import yaml

from evermodel import sources
from evermodel.core import params
from evermodel.core.errors import EvermodelError

ROOT = Path(__file__).parents[1]
ENTRIES = yaml.safe_load((ROOT / "data/sources.yaml").read_text(encoding="utf-8"))
NAMES = sorted(ENTRIES)


@pytest.fixture(params=NAMES)
def source(request):
    return sources.load(request.param, ROOT / "data/sources.yaml")


def test_every_edition_has_a_reader(source):
    assert {edition.reader for edition in source.editions} <= set(params.modules("readers"))


def test_every_sample_has_a_generator(source):
    assert source.sample is None or source.sample.generator in params.modules("samples")


def test_every_url_is_public_and_encrypted(source):
    urls = [url for edition in source.editions for file in edition.files for url in file.urls]
    assert [url for url in urls if not url.startswith("https://")] == []


def test_every_data_set_has_a_source():
    wanted = {dataset.source for dataset in params.load(ROOT / "params.yaml").datasets.values()}
    assert wanted <= set(NAMES)


def broken(tmp_path, change):
    entry = yaml.safe_load(yaml.safe_dump(ENTRIES["boston_housing"]))
    change(entry)
    file = tmp_path / "sources.yaml"
    file.write_text(yaml.safe_dump({"boston_housing": entry}))
    with pytest.raises(EvermodelError) as error:
        sources.load("boston_housing", file)
    return str(error.value).removeprefix(f"{file}: ")


def first_file(entry):
    return entry["editions"][0]["files"][0]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda entry: entry.pop("licence"), "boston_housing.licence"),
        (lambda entry: entry.update(license="MIT"), "boston_housing.license"),
        (lambda entry: entry.update(editions=[]), "boston_housing.editions"),
        (lambda entry: first_file(entry).update(sha256="baad"), "boston_housing.editions.0.files.0.sha256"),
        (lambda entry: first_file(entry).update(bytes=-1), "boston_housing.editions.0.files.0.bytes"),
        (lambda entry: first_file(entry).update(name="../x"), "boston_housing.editions.0.files.0.name"),
        (lambda entry: first_file(entry).update(name=".hidden"), "boston_housing.editions.0.files.0.name"),
        (lambda entry: first_file(entry).update(name="a/b"), "boston_housing.editions.0.files.0.name"),
        (lambda entry: first_file(entry).update(folder="../x"), "boston_housing.editions.0.files.0.folder"),
        (lambda entry: first_file(entry).update(md5="0" * 32), "boston_housing.editions.0.files.0"),
        (lambda entry: first_file(entry).pop("sha256"), "boston_housing.editions.0.files.0"),
        (lambda entry: entry["sample"].update(always="maybe"), "boston_housing.sample.always"),
        (
            lambda entry: entry["editions"][0].update(weights={"VGG16": "../x.h5"}),
            "boston_housing.editions.0.weights.VGG16",
        ),
    ],
)
def test_a_wrong_entry_is_named_by_its_key(tmp_path, change, where):
    assert broken(tmp_path, change).startswith(f"{where}: ")


def test_a_file_without_its_one_hash_is_told_so(tmp_path):
    sentence = broken(tmp_path, lambda entry: first_file(entry).pop("sha256"))
    assert sentence.endswith("needs one hash, sha256 or md5")


def test_a_file_is_known_by_the_hash_that_its_publisher_tells():
    by_md5 = sources.RemoteFile(name="x", bytes=1, md5="0" * 32)
    by_sha256 = sources.RemoteFile(name="x", bytes=1, sha256="1" * 64)
    assert (by_md5.algorithm, by_md5.digest) == ("md5", "0" * 32)
    assert (by_sha256.algorithm, by_sha256.digest) == ("sha256", "1" * 64)


def test_weights_are_among_the_files_of_their_edition(source):
    for edition in source.editions:
        assert set(edition.weights.values()) <= {file.name for file in edition.files}


def test_a_source_whose_sample_is_all_there_is_offers_no_other_place(source):
    if source.sample and source.sample.always:
        assert not any(file.urls for edition in source.editions for file in edition.files)


def test_an_unknown_source_is_told_with_the_choices():
    with pytest.raises(EvermodelError, match="has no source 'moon'; the choices are boston_housing, "):
        sources.load("moon", ROOT / "data/sources.yaml")


def test_a_missing_file_tells_where_to_run(tmp_path):
    with pytest.raises(EvermodelError, match=r"is not here; run this command in the root"):
        sources.load("moon", tmp_path / "sources.yaml")


@pytest.mark.parametrize(("text", "why"), [("a: [", "is not valid YAML"), ("", "has no source 'moon'")])
def test_a_file_that_is_no_list_of_sources_is_refused(tmp_path, text, why):
    (tmp_path / "sources.yaml").write_text(text)
    with pytest.raises(EvermodelError, match=why):
        sources.load("moon", tmp_path / "sources.yaml")
