"""What the watcher takes for new data, and what its DAG makes of it."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from evermodel import fetching
from evermodel.core.errors import EvermodelError
from evermodel.datasets.source import Source
from evermodel.scheduling import steps, watcher

ROOT = Path(__file__).parents[2]
OLD, NEW = b"what was", b"what is"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def source(*contents):
    """A source with an edition, of one file, for each content."""
    editions = [
        {
            "name": f"{number}",
            "files": [{"name": "x.csv", "bytes": len(content), "sha256": sha256(content)}],
        }
        for number, content in enumerate(contents)
    ]
    about = {"title": "T", "licence": "L", "terms": "T", "reader": "table"}
    return Source.model_validate(about | {"editions": editions})


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """The mirror's folder of the source called "some"."""
    monkeypatch.setenv(fetching.MIRROR, str(tmp_path / "mirror"))
    folder = tmp_path / "mirror/some"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def two(workspace, monkeypatch):
    """A repository with two data sets that are made in no time."""
    monkeypatch.delenv(fetching.MIRROR, raising=False)
    for folder in Path("data").iterdir():
        if folder.name not in ("boston_housing", "concrete"):
            shutil.rmtree(folder)
    subprocess.run(["git", "init", "--quiet"], check=True)
    commit()


@pytest.fixture
def full(two):
    """The same in the full profile."""
    Path("params.yaml").write_text(
        Path("params.yaml").read_text().replace("profile: sample", "profile: full")
    )


def commit():
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    subprocess.run(["git", *who, "commit", "--quiet", "--allow-empty", "-m", "one more"], check=True)


def seen():
    return json.loads(watcher.report())


def test_the_hash_is_that_of_the_list_that_sha256sum_writes():
    expected = sha256(f"{sha256(OLD)}  x.csv\n".encode())
    assert watcher.content_hash("some", source(OLD), "full") == expected


def test_another_pinned_file_is_another_hash_and_another_title_is_none():
    old = watcher.content_hash("some", source(OLD), "full")
    assert watcher.content_hash("some", source(NEW), "full") != old
    renamed = source(OLD).model_copy(update={"title": "Another"})
    assert watcher.content_hash("some", renamed, "full") == old


def test_another_query_is_another_hash():
    terms = {"title": "Some data", "licence": "CC0", "terms": "none", "reader": "table"}
    asked = [{"name": "shop", "query": {"url": "SHOP", "sql": f"SELECT {column} FROM t"}} for column in "aab"]
    first, same, other = (Source.model_validate(terms | {"editions": [one]}) for one in asked)
    found = [watcher.content_hash("some", one, "full") for one in (first, same, other)]
    assert found[0] == found[1] != found[2]


def test_the_same_commit_twice_has_the_same_hashes(two):
    assert seen() == seen()
    assert set(seen()["sha256"]) == {"boston_housing", "concrete"}
    assert seen()["faults"] == {}


def test_a_sample_is_known_by_the_files_that_its_commit_makes(two, monkeypatch):
    before = seen()["sha256"]
    from evermodel.samples import mixes

    write = mixes.write

    def write_more(folder, edition):
        write(folder, edition)
        with (folder / edition.files[0].name).open("a") as file:
            file.write("1,2,3\n")

    monkeypatch.setattr(mixes, "write", write_more)
    assert seen()["sha256"] == before, "a commit's are made once"
    commit()
    after = seen()["sha256"]
    assert after["concrete"] != before["concrete"]
    assert after["boston_housing"] == before["boston_housing"]


def test_what_was_kept_of_a_sample_and_torn_is_made_again(two):
    before = seen()["sha256"]
    file = Path(".evermodel/samples/concrete.json")
    file.write_text(file.read_text()[:-9])
    assert seen()["sha256"] == before
    assert json.loads(file.read_text())["files"]


def test_the_pin_of_one_data_set_is_new_data_for_that_one_alone(full):
    before = seen()["sha256"]
    file = Path("data/concrete/params.yaml")
    pin = re.search("sha256: (.{64})", file.read_text())[1]
    file.write_text(file.read_text().replace(pin, "a" * 64))
    after = seen()["sha256"]
    assert after["concrete"] != before["concrete"]
    assert after["boston_housing"] == before["boston_housing"]


def test_a_data_set_that_can_not_be_read_is_told_and_holds_no_other_one_up(two):
    file = Path("data/concrete/params.yaml")
    file.write_text(file.read_text().replace("source:", "sauce:"))
    assert list(seen()["sha256"]) == ["boston_housing"]
    assert "data/concrete/params.yaml" in seen()["faults"]["concrete"]


def test_a_sample_that_can_not_be_made_is_told(two):
    file = Path("data/concrete/params.yaml")
    file.write_text(file.read_text().replace("generator: mixes", "generator: nobody"))
    assert "source.sample.generator is 'nobody'" in seen()["faults"]["concrete"]


def test_what_lies_in_the_mirror_is_taken_for_new_data_by_nobody_and_told(mirror):
    (mirror / "x.csv").write_bytes(NEW)
    with pytest.raises(EvermodelError, match=rf"commit bytes: {len(NEW)}, sha256: {sha256(NEW)}"):
        watcher.require_pinned("some", source(OLD))
    assert watcher.content_hash("some", source(OLD), "full") == watcher.content_hash(
        "other", source(OLD), "full"
    )


def test_a_mirror_with_the_file_of_any_edition_or_without_it_is_right(mirror):
    watcher.require_pinned("some", source(OLD, NEW))
    (mirror / "x.csv").write_bytes(NEW)
    watcher.require_pinned("some", source(OLD, NEW))


def test_a_mirror_whose_content_has_no_hash_is_told(mirror):
    (mirror / "x.csv").mkdir()
    with pytest.raises(EvermodelError, match=r"x\.csv is not a file"):
        watcher.require_pinned("some", source(OLD))


def test_a_mirror_that_is_away_is_told_and_the_pinned_hashes_too(full, monkeypatch):
    monkeypatch.setenv(fetching.MIRROR, "nowhere")
    found = seen()
    assert set(found["faults"]) == set(found["sha256"]) == {"boston_housing", "concrete"}
    assert "'nowhere', which is not a folder" in found["faults"]["concrete"]


def test_the_sample_profile_has_no_use_for_a_mirror(two, monkeypatch):
    monkeypatch.setenv(fetching.MIRROR, "nowhere")
    assert seen()["faults"] == {}


def test_the_last_line_of_the_step_is_what_was_found(two, capsys):
    assert steps.main("watch") == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(found) == {"commit", "sha256", "faults"}


ANNOUNCE = """
import json, sys
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
import watching

class Events(list):
    def ascending(self, how):
        return self if how else Events(reversed(self))

class Alias:
    def add(self, asset, extra):
        told[asset.name] = extra
        kept[asset].append(SimpleNamespace(extra=extra))

kept = {asset: Events() for asset in watching.DATA.values()}
paused = set()
instance = SimpleNamespace(get_dag=lambda dag_id: SimpleNamespace(is_paused=dag_id in paused))
context = {"inlet_events": kept, "outlet_events": {watching.NEW: Alias()}, "ti": instance}
watching.DATASETS |= {"a": "mnist", "b": "mnist", "c": "imdb"}
watching.DATA = {name: watching.Asset(f"data.{name}") for name in ("a", "b", "c")}
kept |= {asset: Events() for asset in watching.DATA.values()}
answers = []
for found in json.loads(sys.argv[2]):
    told = {}
    if found is None:
        kept[watching.DATA["a"]].append(SimpleNamespace(extra=None))
    elif isinstance(found, list):
        paused = set(found)
    else:
        found = {"commit": "c", "sha256": found, "faults": {}}
        watching.announce(context, found)
    answers.append({name: extra["sha256"] for name, extra in told.items()})
print(json.dumps(answers))
"""


def in_airflow(airflow_bin, home, code, *arguments):
    """Python code in Airflow's environment, with the folder of the DAGs as its first argument."""
    return subprocess.run(
        [airflow_bin / "python", "-c", code, ROOT / "dags", *arguments],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        | {"AIRFLOW_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def announced(airflow_bin, home, *looks):
    """The hashes that each look tells; a list is the DAGs that are paused from then on."""
    done = in_airflow(airflow_bin, home, ANNOUNCE, json.dumps(looks))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.all
def test_the_same_hash_twice_is_told_once(airflow_bin, tmp_path):
    first, other = {"mnist": "1", "imdb": "2"}, {"mnist": "3", "imdb": "2"}
    by_hand, new, gone = None, {"mnist": "1", "nobody_uses_it": "5"}, {"imdb": "2"}
    answers = announced(airflow_bin, tmp_path, first, first, other, by_hand, other, gone, new)
    assert answers == [
        {"data.a": "1", "data.b": "1", "data.c": "2"},
        {},
        {"data.a": "3", "data.b": "3"},
        {},
        {},
        {},
        {"data.a": "1", "data.b": "1"},
    ]


@pytest.mark.all
def test_an_experiment_that_is_paused_is_told_once_it_is_not_and_nobody_else_is(airflow_bin, tmp_path):
    first, other = {"mnist": "1", "imdb": "2"}, {"mnist": "3", "imdb": "2"}
    paused, looks = ["retrain.a"], (first, other)
    answers = announced(airflow_bin, tmp_path, first, paused, other, other, *looks, [], other, other)
    assert answers == [
        {"data.a": "1", "data.b": "1", "data.c": "2"},
        {},
        {"data.b": "3"},
        {},
        {"data.b": "1"},
        {"data.b": "3"},
        {},
        {"data.a": "3"},
        {},
    ]


@pytest.mark.all
def test_faults_are_red_by_name(airflow_bin, tmp_path):
    code = """
import sys
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
from watching import look
report = look.downstream_list[0]
for faults in ({}, {"mnist": "is away", "imdb": "is torn"}):
    report.execute({"ti": SimpleNamespace(xcom_pull=lambda task_ids, faults=faults: {"faults": faults})})
"""
    done = in_airflow(airflow_bin, tmp_path, code)
    assert done.stderr.splitlines()[-1].endswith("AirflowFailException: mnist: is away. imdb: is torn")
