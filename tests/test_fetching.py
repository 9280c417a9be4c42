import hashlib
import json
import re
import sqlite3
import zipfile

import pandas as pd
import pytest

from evermodel import downloads, fetching
from evermodel.core import data
from evermodel.core.errors import EvermodelError
from evermodel.datasets.source import Source, provenance
from evermodel.origins import local
from evermodel.readers import table as table_reader
from pipelines import fetch as stage
from tests.server import serving, status, whole

OLD, NEW, WORDS = b"an old edition", b"a newer edition", b"the words of both"


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(downloads, "PAUSE", 0)
    monkeypatch.delenv(fetching.MIRROR, raising=False)


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """The mirror's folder of the data set called "some"."""
    monkeypatch.setenv(fetching.MIRROR, str(tmp_path / "mirror"))
    folder = tmp_path / "mirror" / "some"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    return folder


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def edition(name, urls=(), **files):
    files = [
        {"name": f"{stem}.data", "bytes": len(content), "sha256": sha256(content), "urls": list(urls)}
        for stem, content in files.items()
    ]
    return {"name": name, "options": {"separator": ","}, "files": files}


def source(*editions, sample=None):
    terms = {"title": "Some data", "licence": "CC0", "terms": "none", "reader": "table"}
    return Source.model_validate(terms | {"editions": editions, "sample": sample})


def test_the_mirror_is_searched_before_the_network(mirror, raw, capsys):
    (mirror / "x.data").write_bytes(OLD)
    with serving(status(500)) as server:
        fetching.fetch("some", source(edition("old", [server.url], x=OLD)), "full", raw)
    assert server.requests == []
    assert (raw / "x.data").read_bytes() == OLD
    assert capsys.readouterr().out == f"x.data: mirror {mirror / 'x.data'}\n"


def test_the_mirror_stays_apart_from_the_copy(mirror, raw):
    (mirror / "x.data").write_bytes(OLD)
    fetching.fetch("some", source(edition("old", x=OLD)), "full", raw)
    (raw / "x.data").write_bytes(b"changed")
    assert (mirror / "x.data").read_bytes() == OLD


def test_what_the_mirror_lacks_is_downloaded(mirror, raw, capsys):
    (mirror / "words.data").write_bytes(WORDS)
    with serving(whole(OLD)) as server:
        fetching.fetch("some", source(edition("old", [server.url], x=OLD, words=WORDS)), "full", raw)
    assert (raw / "x.data").read_bytes() == OLD
    assert (raw / "words.data").read_bytes() == WORDS
    assert f"x.data: {server.url}\n" in capsys.readouterr().out


def test_a_second_fetch_uses_the_first_ones_download(raw, tmp_path):
    with serving(whole(OLD)) as server:
        fetching.fetch("some", source(edition("old", [server.url], x=OLD)), "full", raw)
        again = tmp_path / "again"
        again.mkdir()
        fetching.fetch("some", source(edition("old", [server.url], x=OLD)), "full", again)
    assert len(server.requests) == 1
    assert (again / "x.data").read_bytes() == OLD


def test_an_edition_that_lies_in_the_mirror_comes_before_a_better_one_on_the_network(mirror, raw):
    (mirror / "x.data").write_bytes(OLD)
    with serving(whole(NEW)) as server:
        both = source(edition("new", [server.url], x=NEW), edition("old", [server.url], x=OLD))
        fetching.fetch("some", both, "full", raw)
    assert server.requests == []
    assert provenance(raw).edition == "old"


def test_a_better_edition_that_is_damaged_is_told_when_another_one_is_taken(mirror, raw, capsys):
    (mirror / "x.data").write_bytes(NEW)
    (mirror / "y.data").write_bytes(OLD)
    fetching.fetch("some", source(edition("new", x=NEW[::-1]), edition("old", y=OLD)), "full", raw)
    assert provenance(raw).edition == "old"
    assert f"not used: {mirror / 'x.data'} has sha256 {sha256(NEW)}" in capsys.readouterr().out


def test_the_best_edition_that_can_be_had_is_taken(raw):
    with serving(whole(OLD)) as server:
        without_url = edition("new", x=NEW)
        fetching.fetch("some", source(without_url, edition("old", [server.url], x=OLD)), "full", raw)
    assert provenance(raw).edition == "old"


def test_nothing_is_downloaded_for_an_edition_that_can_not_be_completed(raw):
    with serving(whole(WORDS)) as server:
        best = edition("new", [server.url], words=WORDS)
        best["files"] += edition("new", x=NEW)["files"]
        with pytest.raises(EvermodelError, match="no URL is known"):
            fetching.fetch("some", source(best), "full", raw)
    assert server.requests == []


def test_a_tampered_mirror_is_refused_with_both_hashes(mirror, raw):
    tampered = OLD[::-1]
    (mirror / "x.data").write_bytes(tampered)
    with pytest.raises(EvermodelError) as error:
        fetching.fetch("some", source(edition("old", x=OLD)), "full", raw)
    message = str(error.value)
    assert f"{mirror / 'x.data'} has sha256 {sha256(tampered)}" in message
    assert sha256(OLD) in message
    assert "source.editions.0.files.0 in data/some/params.yaml is wrong" in message
    assert list(raw.iterdir()) == []


@pytest.mark.parametrize("wrong", [b"", OLD[:-1], OLD + b"!"], ids=["empty", "truncated", "longer"])
def test_a_mirror_file_of_the_wrong_size_is_refused(mirror, raw, wrong):
    (mirror / "x.data").write_bytes(wrong)
    with pytest.raises(EvermodelError, match=rf"x\.data has {len(wrong)} bytes, not {len(OLD)}"):
        fetching.fetch("some", source(edition("old", x=OLD)), "full", raw)


@pytest.mark.parametrize("content", [OLD[::-1], OLD + b"!"], ids=["another hash", "another size"])
def test_when_a_download_is_another_file_the_entry_may_be_wrong_and_what_was_found_is_told(raw, content):
    with serving(whole(content)) as server:
        both = source(edition("other", there=NEW), edition("old", [server.url], x=OLD))
        with pytest.raises(EvermodelError) as error:
            fetching.fetch("some", both, "full", raw)
    message = str(error.value)
    assert "source.editions.1.files.0 in data/some/params.yaml is wrong" in message
    assert "source.editions.0" not in message
    assert (sha256(content) if len(content) == len(OLD) else f"{len(content)} bytes") in message


def test_an_entry_is_not_doubted_where_nothing_came(raw):
    with serving(status(404)) as server, pytest.raises(EvermodelError) as error:
        fetching.fetch("some", source(edition("old", [server.url], x=OLD)), "full", raw)
    assert "params.yaml" not in str(error.value)


def test_an_entry_that_was_mended_as_it_was_told_is_right(mirror, raw):
    (mirror / "x.data").write_bytes(NEW)
    with pytest.raises(EvermodelError) as error:
        fetching.fetch("some", source(edition("old", x=OLD)), "full", raw)
    size, digest = re.search(r"x\.data has (\d+) bytes, .*? and sha256 (\w+)", str(error.value)).groups()
    one = edition("old", x=OLD)
    one["files"][0] |= {"bytes": int(size), "sha256": digest}
    fetching.fetch("some", source(one), "full", raw)
    assert (raw / "x.data").read_bytes() == NEW


def test_a_tampered_mirror_is_named_when_the_network_helps(mirror, raw, capsys):
    (mirror / "x.data").write_bytes(OLD[::-1])
    with serving(whole(OLD)) as server:
        fetching.fetch("some", source(edition("old", [server.url], x=OLD)), "full", raw)
    assert (raw / "x.data").read_bytes() == OLD
    assert f"not used: {mirror / 'x.data'} has sha256" in capsys.readouterr().out


def test_what_can_not_be_had_names_file_hash_reason_and_place(mirror, raw):
    with serving(status(404)) as server, pytest.raises(EvermodelError) as error:
        fetching.fetch("some", source(edition("old", [server.url], x=OLD)), "full", raw)
    message = str(error.value)
    assert f"x.data (sha256 {sha256(OLD)}): {server.url} answered 404" in message
    assert f"put it by hand at {mirror / 'x.data'}" in message


def test_the_place_is_named_without_a_mirror_too(raw):
    with pytest.raises(EvermodelError, match=r"put it by hand at \$EVERMODEL_MIRROR/some/x\.data"):
        fetching.fetch("some", source(edition("old", x=OLD)), "full", raw)


def test_a_mirror_that_is_no_folder_is_refused(raw, monkeypatch):
    monkeypatch.setenv(fetching.MIRROR, "nowhere")
    with pytest.raises(EvermodelError, match="EVERMODEL_MIRROR is 'nowhere', which is not a folder"):
        fetching.fetch("some", source(edition("old", x=OLD)), "full", raw)


def test_a_failed_fetch_leaves_the_older_files(mirror, tmp_path):
    older = tmp_path / "data"
    older.mkdir()
    (older / "x.data").write_bytes(OLD)
    (mirror / "x.data").write_bytes(OLD[::-1])
    with pytest.raises(EvermodelError), data.whole_folder(older) as folder:
        fetching.fetch("some", source(edition("old", x=OLD)), "full", folder)
    assert (older / "x.data").read_bytes() == OLD
    assert not (tmp_path / "data.partial").exists()


def test_source_json_tells_all_and_nothing_that_changes(mirror, raw, tmp_path):
    (mirror / "x.data").write_bytes(OLD)
    fetching.fetch("some", source(edition("old", x=OLD)), "full", raw)
    assert json.loads((raw / "source.json").read_text()) == {
        "title": "Some data",
        "edition": "old",
        "synthetic": False,
        "note": "",
        "licence": "CC0",
        "terms": "none",
        "reader": "table",
        "options": {"separator": ","},
        "weights": {},
        "files": {"x.data": sha256(OLD)},
    }
    downloads.FOLDER.mkdir(parents=True)
    (mirror / "x.data").rename(downloads.FOLDER / sha256(OLD))
    again = tmp_path / "again"
    again.mkdir()
    fetching.fetch("some", source(edition("old", x=OLD)), "full", again)
    assert (again / "source.json").read_bytes() == (raw / "source.json").read_bytes()


def test_a_file_known_by_md5_is_found_and_written_down_by_its_sha256(mirror, raw):
    (mirror / "x.data").write_bytes(OLD)
    one = edition("old", x=OLD)
    one["files"][0] |= {"sha256": None, "md5": hashlib.md5(OLD).hexdigest()}
    fetching.fetch("some", source(one), "full", raw)
    assert provenance(raw).files == {"x.data": sha256(OLD)}


def test_a_tampered_file_known_by_md5_is_refused_by_it(mirror, raw):
    (mirror / "x.data").write_bytes(OLD[::-1])
    one = edition("old", x=OLD)
    digest = hashlib.md5(OLD).hexdigest()
    one["files"][0] |= {"sha256": None, "md5": digest}
    with pytest.raises(EvermodelError, match=f"has md5 [0-9a-f]*, not {digest}"):
        fetching.fetch("some", source(one), "full", raw)


def test_a_file_may_lie_in_the_mirror_s_folder_of_another_source(mirror, raw):
    (mirror.parent / "other").mkdir()
    (mirror.parent / "other" / "x.data").write_bytes(OLD)
    one = edition("old", x=OLD)
    one["files"][0]["folder"] = "other"
    fetching.fetch("some", source(one), "full", raw)
    assert (raw / "x.data").read_bytes() == OLD


def test_the_place_by_hand_is_that_other_folder(raw):
    one = edition("old", x=OLD)
    one["files"][0]["folder"] = "other"
    with pytest.raises(EvermodelError, match=r"put it by hand at \$EVERMODEL_MIRROR/other/x\.data"):
        fetching.fetch("some", source(one), "full", raw)


def test_all_that_is_missing_is_named_at_once(mirror, raw):
    (mirror / "there.data").write_bytes(NEW)
    with pytest.raises(EvermodelError) as error:
        fetching.fetch("some", source(edition("old", x=OLD, words=WORDS, there=NEW)), "full", raw)
    message = str(error.value)
    assert f"x.data (sha256 {sha256(OLD)}): no URL is known" in message
    assert message.endswith("needed beside it: words.data")
    assert "there.data" not in message
    assert "\n" not in message


def test_pretrained_weights_come_with_their_edition(mirror, raw):
    (mirror / "x.data").write_bytes(OLD)
    (mirror / "vgg.data").write_bytes(WORDS)
    one = edition("old", x=OLD, vgg=WORDS) | {"weights": {"VGG16": "vgg.data"}}
    fetching.fetch("some", source(one), "full", raw)
    found = provenance(raw)
    assert found.weights == {"VGG16": "vgg.data"}
    assert found.files == {"x.data": sha256(OLD), "vgg.data": sha256(WORDS)}


HOUSES = {"generator": "houses", "synthetic": True, "note": "made houses"}


def table(urls=(), **files):
    one = edition("uci", urls, **files)
    return one | {"options": {"separator": r"\s+", "header": False, "columns": ["RM", "MEDV"]}}


def test_the_sample_profile_writes_the_sample(raw):
    fetching.fetch("some", source(table(housing=OLD), sample=HOUSES), "sample", raw)
    written = provenance(raw)
    assert (written.edition, written.synthetic, written.note) == ("sample", True, "made houses")
    assert written.files == {"housing.data": data.file_hash(raw / "housing.data")}


def test_the_full_profile_never_falls_back_to_the_sample(raw):
    with pytest.raises(EvermodelError, match="can't be had"):
        fetching.fetch("some", source(table(housing=OLD), sample=HOUSES), "full", raw)


def test_a_source_without_sample_is_fetched_for_real(mirror, raw):
    (mirror / "x.data").write_bytes(OLD)
    fetching.fetch("some", source(edition("old", x=OLD)), "sample", raw)
    assert provenance(raw).edition == "old"


def test_a_sample_has_no_pretrained_weights(raw):
    one = table(housing=OLD, vgg=WORDS) | {"weights": {"VGG16": "vgg.data"}}
    fetching.fetch("some", source(one, sample=HOUSES), "sample", raw)
    assert sorted(file.name for file in raw.iterdir()) == ["housing.data", "source.json"]
    assert provenance(raw).weights == {}


@pytest.mark.parametrize("profile", ["sample", "full"])
def test_what_can_only_be_made_is_made_in_both_profiles_under_its_own_name(raw, profile):
    fetching.fetch("some", source(table(housing=OLD), sample=HOUSES | {"always": True}), profile, raw)
    written = provenance(raw)
    assert (written.edition, written.synthetic) == ("uci", True)
    assert (raw / "housing.data").exists()


def test_a_sample_that_writes_other_files_is_refused(raw):
    with pytest.raises(
        EvermodelError, match=r"houses\.py wrote \['a\.data'\]; make it write \['a\.data', 'b\.data'\]"
    ):
        fetching.fetch("some", source(table(a=OLD, b=NEW), sample=HOUSES), "sample", raw)


def test_the_stage_fills_the_raw_folder_of_the_data_set(workspace):
    stage.main("boston_housing")
    written = {file.name for file in (workspace / "data/boston_housing/raw").iterdir()}
    assert written == {"housing.data", "source.json"}


def described(path):
    """The entry that `origins.local` makes of what lies there."""
    return local.entry(path).model_dump(exclude_none=True, mode="json")


def test_a_file_is_taken_from_where_it_lies(raw, tmp_path, capsys):
    (tmp_path / "mine.csv").write_bytes(OLD)
    fetching.fetch("some", source({"name": "mine", "files": [described(tmp_path / "mine.csv")]}), "full", raw)
    assert (raw / "mine.csv").read_bytes() == OLD
    assert capsys.readouterr().out == f"mine.csv: file {tmp_path / 'mine.csv'}\n"


def test_a_path_may_begin_at_home_or_at_the_root_of_the_repository(raw, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for folder, path in ((tmp_path, "mine.csv"), (tmp_path / "home", "~/mine.csv")):
        folder.mkdir(exist_ok=True)
        (folder / "mine.csv").write_bytes(OLD)
        one = edition("mine", mine=OLD)
        one["files"][0]["path"] = path
        fetching.fetch("some", source(one), "full", raw)
        (folder / "mine.csv").unlink()
    assert (raw / "mine.data").read_bytes() == OLD


@pytest.mark.parametrize("content", [None, OLD[::-1]])
def test_a_file_that_is_no_longer_there_or_another_one_is_told(raw, tmp_path, content):
    (tmp_path / "mine.csv").write_bytes(OLD)
    one = {"name": "mine", "files": [described(tmp_path / "mine.csv")]}
    (tmp_path / "mine.csv").unlink()
    if content:
        (tmp_path / "mine.csv").write_bytes(content)
    told = f"mine.csv has sha256 {sha256(content)}" if content else f"{tmp_path / 'mine.csv'} does not exist"
    with pytest.raises(EvermodelError, match=re.escape(told)):
        fetching.fetch("some", source(one), "full", raw)
    assert list(raw.iterdir()) == []


def test_a_file_that_moved_into_the_mirror_is_found_there(mirror, raw, tmp_path):
    (tmp_path / "mine.csv").write_bytes(OLD)
    one = {"name": "mine", "files": [described(tmp_path / "mine.csv")]}
    (tmp_path / "mine.csv").rename(mirror / "mine.csv")
    fetching.fetch("some", source(one), "full", raw)
    assert (raw / "mine.csv").read_bytes() == OLD


def test_a_folder_becomes_an_archive_that_is_checked_by_its_hash(raw, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/1.jpg").write_bytes(OLD)
    one = {"name": "mine", "files": [described(tmp_path / "photos")]}
    fetching.fetch("some", source(one), "full", raw)
    assert zipfile.ZipFile(raw / "photos.zip").read("1.jpg") == OLD
    assert provenance(raw).files == {"photos.zip": one["files"][0]["sha256"]}
    (tmp_path / "photos/2.jpg").write_bytes(NEW)
    (raw / "photos.zip").unlink()
    with pytest.raises(EvermodelError, match=r"photos makes an archive of \d+ bytes with sha256 \w+, not"):
        fetching.fetch("some", source(one), "full", raw)
    assert not (raw / "photos.zip").exists()


def shop(url="SHOP"):
    return {"name": "shop", "query": {"url": url, "sql": "SELECT a FROM t ORDER BY a"}}


def test_what_a_database_answers_is_a_file_with_its_hash(raw, tmp_path, monkeypatch, capsys):
    made = sqlite3.connect(tmp_path / "shop.db")
    with made:
        made.executescript("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (2), (1);")
    made.close()
    monkeypatch.setenv("SHOP", f"sqlite:///{tmp_path / 'shop.db'}")
    fetching.fetch("some", source(shop()), "sample", raw)
    assert capsys.readouterr().out == "some.parquet: 2 rows of a query\n"
    assert provenance(raw).files == {"some.parquet": data.file_hash(raw / "some.parquet")}
    assert provenance(raw).edition == "shop"
    assert pd.concat(table_reader.read(raw).pieces()).a.tolist() == [1, 2]


def test_files_that_lie_here_come_before_a_database(mirror, raw):
    (mirror / "x.data").write_bytes(OLD)
    fetching.fetch("some", source(shop(), edition("old", x=OLD)), "full", raw)
    assert provenance(raw).edition == "old"


def test_a_database_that_is_away_is_told(raw, monkeypatch):
    monkeypatch.delenv("SHOP", raising=False)
    with pytest.raises(EvermodelError, match="environment variable SHOP, which is not set"):
        fetching.fetch("some", source(shop()), "full", raw)


def judged(path, content):
    one = table(housing=OLD, judge=content) | {"weights": {"judge": "judge.data"}}
    one["files"][1]["path"] = str(path)
    return source(one, sample=HOUSES)


def test_weights_that_lie_beside_the_params_come_with_the_sample_too(tmp_path, raw, capsys):
    (tmp_path / "judge.data").write_bytes(WORDS)
    fetching.fetch("some", judged("judge.data", WORDS), "sample", raw)
    assert (raw / "judge.data").read_bytes() == WORDS
    assert provenance(raw).weights == {"judge": "judge.data"}
    assert provenance(raw).files["judge.data"] == sha256(WORDS)
    assert "judge.data: file judge.data\n" in capsys.readouterr().out


@pytest.mark.parametrize("there", [None, NEW])
def test_weights_that_are_not_there_or_are_others_end_the_sample_in_a_sentence(tmp_path, raw, there):
    if there:
        (tmp_path / "judge.data").write_bytes(there)
    with pytest.raises(EvermodelError, match=r"judge\.data .*; put the file there"):
        fetching.fetch("some", judged("judge.data", WORDS), "sample", raw)
