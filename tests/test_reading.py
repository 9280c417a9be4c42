from copy import deepcopy

import pandas as pd
import pytest

from evermodel import reading
from evermodel.core import catalog, data, folders
from evermodel.core.terms import ImageOptions
from evermodel.datasets import dataset
from evermodel.datasets.source import PROVENANCE, Provenance, Source
from tests.conftest import ROOT
from tests.settings import DATASET, refusal

TABLE = {"separator": ",", "header": True, "columns": ["RM", "MEDV"]}
IMAGES = {"archive": "a.zip", "members": "(?P<label>.*)", "mode": "RGB"}


def source(reader, options):
    values = deepcopy(DATASET["source"]) | {"reader": reader}
    values["editions"][0]["options"] = options
    return Source.model_validate(values)


@pytest.mark.parametrize("name", folders.names(ROOT / "data"))
def test_the_options_of_every_data_set_here_are_of_the_kind_that_its_reader_takes(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    reading.require_options(name, dataset.load(name, "full").source)


@pytest.mark.parametrize(
    ("reader", "options", "where"),
    [
        ("table", TABLE | {"separator": [";"]}, "separator"),
        ("table", TABLE | {"header": "maybe"}, "header"),
        ("table", TABLE | {"columns": "RM, MEDV"}, "columns"),
        ("table", TABLE | {"columns": ["RM", True]}, "columns.1"),
        ("table", {"decimal": ";"}, "decimal"),
        ("table", {"splits": {"training": "a.csv"}}, "splits.training"),
        ("series", {"date": "day", "header": "maybe"}, "header"),
        ("texts", {"text": "told", "columns": "told"}, "columns"),
        ("image_archive", IMAGES | {"mode": "CMYK"}, "mode"),
        ("image_archive", IMAGES | {"labels": {"a": True}}, "labels.a"),
        ("image_archive", IMAGES | {"labels": ["a"]}, "labels"),
        ("anomalies", {"normal": IMAGES, "odd": "b.zip"}, "odd"),
        ("anomalies", {"normal": IMAGES, "odd": IMAGES | {"mode": "x"}}, "odd.mode"),
        ("anomalies", {"normal": {"members": ".*"}, "odd": IMAGES}, "normal.archive"),
        ("anomalies", {"normal": IMAGES | {"siez": [1, 1]}, "odd": IMAGES}, "normal.siez"),
    ],
)
def test_an_option_of_another_kind_is_named_by_its_full_path(reader, options, where):
    sentence = refusal(reading.require_options, "houses", source(reader, options))
    assert sentence.startswith(f"data/houses/params.yaml: source.editions.0.options.{where} ")


def test_a_reader_whose_source_does_not_tell_is_asked(monkeypatch):
    monkeypatch.setattr(catalog, "TERMS", {name: catalog.TERMS[name] for name in ("Sequence", "Mode")})
    options = {"archive": "a.zip", "images": ".*", "masks": ".*", "fit": "shrink"}
    sentence = refusal(reading.require_options, "houses", source("image_pairs", options))
    assert ".options.fit is 'shrink'" in sentence


def test_an_unknown_option_within_an_option_is_told_with_the_choices():
    described = source("anomalies", {"normal": IMAGES | {"siez": [1, 1]}, "odd": IMAGES})
    choices = refusal(reading.require_options, "houses", described).partition("the choices are ")[2]
    assert choices == ", ".join(sorted(ImageOptions.__annotations__))


def test_columns_that_are_called_by_numbers_are_read_by_their_names(tmp_path, monkeypatch):
    """As somebody writes them: `columns: [1, 2]`, and header as text."""
    monkeypatch.chdir(tmp_path)
    options = {"separator": ",", "header": "false", "columns": [1, 2]}
    folder = folders.raw("houses")
    folder.mkdir(parents=True)
    (folder / "houses.csv").write_text("0.5,1.5\n2.5,3.5\n")
    terms = dict.fromkeys(("title", "edition", "note", "licence", "terms"), "none")
    files = {"houses.csv": data.file_hash(folder / "houses.csv")}
    found = Provenance(**terms, synthetic=True, reader="table", options=options, files=files)
    (folder / PROVENANCE).write_text(found.model_dump_json())
    (piece,) = reading.read("houses", source("table", options)).pieces()
    assert list(piece) == ["1", "2"]
    assert piece.map(float).equals(pd.DataFrame({"1": [0.5, 2.5], "2": [1.5, 3.5]}))
