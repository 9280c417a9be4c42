import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import great_expectations as gx
import numpy as np
import pandas as pd
import pytest
import yaml

from evermodel import validation
from evermodel.core.errors import EvermodelError
from evermodel.datasets.dataset import Dataset
from evermodel.datasets.source import PROVENANCE
from evermodel.expectations import table
from pipelines import validate
from tests.preparing.tables import in_pieces
from tests.settings import DATASET

ROOT = Path(__file__).parents[1]
HOUSES = {
    "name": "houses",
    "source": DATASET["source"],
    "target": "price",
    "split": {"method": "shuffle", "test": 0.2, "validation": 0.1},
    "expect": {"min_rows": 50, "ranges": {"rooms": [1, 9], "age": [0, 100], "price": [5, 50]}},
}
FOLDER = Path("data/houses")
REPORT = FOLDER / "validation"


@pytest.fixture
def houses() -> pd.DataFrame:
    random = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "rooms": random.uniform(1, 9, 100).round(2),
            "age": random.integers(0, 101, 100),
            "price": random.uniform(5, 50, 100).round(1),
        }
    )


@pytest.fixture
def bad_houses(houses) -> pd.DataFrame:
    """Houses that break two critical expectations and a warning."""
    houses["rooms"] = houses["rooms"].astype(str)
    houses.loc[2, "rooms"] = "12,5"
    return houses.assign(age=3)


def project(folder: Path, frame: pd.DataFrame) -> Path:
    """A folder with the files params.yaml and the raw files of a table, as `fetch` leaves them."""
    raw = folder / FOLDER / "raw"
    raw.mkdir(parents=True)
    frame.to_csv(raw / "houses.csv", index=False)
    options = {"separator": ",", "header": True, "columns": list(frame)}
    about = dict.fromkeys(("title", "edition", "note", "licence", "terms"), "")
    files = {"houses.csv": hashlib.sha256((raw / "houses.csv").read_bytes()).hexdigest()}
    source = {**about, "synthetic": True, "reader": "table", "options": options, "files": files}
    (raw / PROVENANCE).write_text(json.dumps(source))
    shutil.copy(ROOT / "params.yaml", folder)
    (folder / FOLDER / "params.yaml").write_text(yaml.safe_dump(HOUSES))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def report_of(frame: pd.DataFrame) -> validation.Report:
    return validation.validate("houses", Dataset.model_validate(HOUSES), in_pieces(frame, 1000))


def test_good_data_make_a_report_and_say_nothing(tmp_path, monkeypatch, capsys, houses):
    monkeypatch.chdir(project(tmp_path, houses))
    validate.main("houses")
    assert sorted(contents(REPORT)) == ["data_docs/index.html", "rejected.csv", "validation.json"]
    assert capsys.readouterr() == ("", "")


def test_a_broken_critical_expectation_stops_in_one_sentence_with_the_report_in_place(
    tmp_path, monkeypatch, capsys, bad_houses
):
    monkeypatch.chdir(project(tmp_path, bad_houses))
    with pytest.raises(EvermodelError) as error:
        validate.main("houses")
    sentence = str(error.value)
    assert sentence.startswith("data set houses: column rooms: ")
    assert "in 1 row (row 3: '12,5')" in sentence
    assert "data/houses/validation/data_docs/index.html" in sentence
    assert sentence.endswith("data/houses/params.yaml")
    assert sorted(contents(REPORT)) == ["data_docs/index.html", "rejected.csv", "validation.json"]
    assert not json.loads((REPORT / "validation.json").read_text())["success"]
    assert capsys.readouterr().out.startswith("warning: data set houses: column age")


def test_a_warning_is_shown_and_goes_on(tmp_path, monkeypatch, capsys, houses):
    monkeypatch.chdir(project(tmp_path, houses.assign(age=3)))
    validate.main("houses")
    told = capsys.readouterr().out
    assert told.startswith("warning: data set houses: column age: ")
    assert told.endswith("(found: 1)\n")
    assert told.count("\n") == 1
    assert json.loads((REPORT / "validation.json").read_text())["success"]


def test_mended_data_replace_the_report_of_the_bad_ones(tmp_path, monkeypatch, bad_houses):
    monkeypatch.chdir(project(tmp_path, bad_houses))
    with pytest.raises(EvermodelError):
        validate.main("houses")
    shutil.rmtree(FOLDER / "raw")
    project(tmp_path, bad_houses.assign(rooms=np.linspace(1, 9, 100)))
    validate.main("houses")
    assert json.loads((REPORT / "validation.json").read_text())["success"]
    assert sorted(folder.name for folder in FOLDER.iterdir()) == ["params.yaml", "raw", "validation"]


def test_raw_data_that_were_never_fetched_are_named(tmp_path, monkeypatch, houses):
    monkeypatch.chdir(project(tmp_path, houses))
    (FOLDER / "raw" / PROVENANCE).unlink()
    with pytest.raises(EvermodelError, match=r"data/houses/raw/source.json is missing"):
        validate.main("houses")
    assert not REPORT.exists()


def test_the_same_data_make_the_same_bytes_elsewhere_and_later(tmp_path, monkeypatch, bad_houses):
    """Another process, folder, time zone, order of hashing and, by the second, time."""
    here, there = project(tmp_path / "here", bad_houses), project(tmp_path / "far/away/there", bad_houses)
    monkeypatch.chdir(here)
    with pytest.raises(EvermodelError):
        validate.main("houses")
    environment = os.environ | {
        "TZ": "Asia/Tokyo",
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}",
    }
    command = [sys.executable, "-m", "pipelines.validate", "houses"]
    run = subprocess.run(command, cwd=there, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("houses: data set houses: column rooms")
    assert run.stderr.count("\n") == 1
    assert contents(here / REPORT) == contents(there / REPORT)


def test_the_report_holds_no_time_no_path_and_no_random_id(tmp_path, monkeypatch, houses):
    monkeypatch.chdir(project(tmp_path, houses))
    validate.main("houses")
    text = b"".join(contents(REPORT).values()).decode()
    now = datetime.now(UTC)
    assert not [today for today in (f"{now:%Y-%m-%d}", f"{now:%Y%m%d}", f"{now:%d %b %Y}") if today in text]
    assert str(tmp_path) not in text
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", text)


def test_the_page_needs_no_network_and_runs_no_script(houses):
    page = report_of(houses).page
    assert "default-src 'none'" in page
    assert not re.search(r"<script|https?://|src=", page)


def test_every_link_of_the_page_leads_somewhere(bad_houses):
    page = report_of(bad_houses).page
    links = set(re.findall(r'href="#([^"]*)"', page))
    assert len(links) == 4
    assert links <= set(re.findall(r'id="([^"]*)"', page))
    assert page.count("href=") == 4


def test_the_page_shows_a_value_as_text_whatever_it_is(houses):
    houses["rooms"] = houses["rooms"].astype(str)
    houses.loc[2, "rooms"] = "<h1>0</h1>"
    listed, _, _ = report_of(houses).page.partition("<nav>")
    assert "&lt;h1&gt;0" in listed
    assert "<h1>0" not in listed


def test_the_summary_counts_by_severity_and_shows_ten_rows_at_most(tmp_path, houses):
    houses.loc[:49, "age"] = 200
    report = report_of(houses)
    validation.save(report, tmp_path)
    summary = json.loads((tmp_path / "validation.json").read_text())
    (age,) = [one for one in summary["expectations"] if not one["success"]]
    assert (age["type"], age["column"], age["severity"]) == (
        "expect_column_values_to_be_between",
        "age",
        "critical",
    )
    assert age["unexpected"] == 50
    assert age["examples"] == [{"row": row, "value": 200} for row in range(1, 11)]
    assert summary["severities"]["critical"]["broken"] == 1
    assert summary["severities"]["warning"]["broken"] == 0
    held = sum(counts["held"] for counts in summary["severities"].values())
    assert held == len(summary["expectations"]) - 1


def test_an_expectation_that_cannot_be_evaluated_is_a_fault_of_the_suite(monkeypatch, houses):
    astray = gx.expectations.ExpectColumnValuesToNotBeNull(column="cellar", description="no value is missing")
    monkeypatch.setattr(table, "suite", lambda *_: gx.ExpectationSuite(name="table", expectations=[astray]))
    with pytest.raises(EvermodelError, match=r"of column cellar can't be evaluated: .*cellar.*; mend src/"):
        report_of(houses)


def report_without(files, allowed=0.0, rows=10):
    """The report of a data set, some files of which could not be used."""
    settings = HOUSES | {"expect": {"min_rows": 1, "rejected": allowed}}
    random = np.random.default_rng(7)
    frame = pd.DataFrame({"rooms": random.uniform(1, 9, rows), "price": random.uniform(5, 50, rows)})
    rejected = tuple((file, "is not an image") for file in files)
    raw = replace(in_pieces(frame, 1000), rejected=rejected)
    return validation.validate("houses", Dataset.model_validate(settings), raw)


def test_the_files_that_were_left_out_are_listed_with_the_reason(tmp_path):
    validation.save(report_without(["b/ä,1.jpg", "a.jpg"]), tmp_path)
    table = pd.read_csv(tmp_path / "rejected.csv")
    assert table.to_numpy().tolist() == [["b/ä,1.jpg", "is not an image"], ["a.jpg", "is not an image"]]


def test_nothing_left_out_is_an_empty_list(tmp_path, houses):
    validation.save(report_of(houses), tmp_path)
    assert (tmp_path / "rejected.csv").read_text() == "file,reason\n"


@pytest.mark.parametrize(("count", "allowed"), [(0, 0.0), (2, 0.17), (10, 0.5)])
def test_as_many_files_as_params_allow_may_be_left_out(count, allowed):
    validation.require(report_without(map(str, range(count)), allowed))


@pytest.mark.parametrize(("count", "allowed", "tolerated"), [(1, 0.0, 0), (3, 0.17, 2), (11, 0.5, 10)])
def test_more_files_than_params_allow_are_refused_with_the_first_and_its_reason(count, allowed, tolerated):
    with pytest.raises(EvermodelError) as error:
        validation.require(report_without([f"{number}.jpg" for number in range(count)], allowed))
    sentence = str(error.value)
    assert f"{count} of {10 + count} files" in sentence
    assert f"expect.rejected in data/houses/params.yaml allows {tolerated}: 0.jpg is not an image" in sentence
    assert "data/houses/validation/rejected.csv" in sentence
