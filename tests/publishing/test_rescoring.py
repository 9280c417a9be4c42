import hashlib
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.evaluation import evaluation, statistics
from evermodel.publishing import rescoring
from evermodel.publishing.scores import Scores
from tests.specs import make_spec

HOW = {"mse": statistics.mean("mse")}


CHAMPION = SimpleNamespace(name="it", version="7", run_id="run", tags={"evermodel.sha256": "cafe"})


class Registry:
    """A champion's run, which keeps the scores of what it was asked."""

    def __init__(self, asked):
        table = pd.DataFrame({"mse": [0.25, 0.5]})
        self.kept = evaluation.scores_parquet(table, None, asked, HOW)

    @property
    def judged(self):
        """The ledger's line about the champion."""
        return SimpleNamespace(sha256="cafe", scores=hashlib.sha256(self.kept).hexdigest(), number=3)

    def download_artifacts(self, run_id, path, folder):
        file = Path(folder, "scores.parquet")
        file.write_bytes(self.kept)
        return str(file)


@pytest.fixture
def scored(monkeypatch):
    """A function: the champion's scores, which are 1 and 1 where it is scored again."""
    new, spec = Scores(pd.DataFrame({"mse": [1.0, 1.0]}), "this noise", HOW), make_spec("images")
    monkeypatch.setattr(rescoring.registry, "spec", lambda version: spec)
    monkeypatch.setattr(rescoring.registry, "fetch", lambda version, folder: (folder, spec))
    monkeypatch.setattr(rescoring, "_scored_again", lambda *_: new)
    model = SimpleNamespace(spec=spec, asked=spec, scores=new)
    return lambda kept, judged: rescoring._scores(kept, CHAMPION, judged, model).table["mse"].tolist()


@pytest.mark.parametrize(("asked", "again"), [("this noise", False), ("other noise", True)])
def test_kept_scores_count_only_if_the_champion_was_asked_the_same(scored, asked, again):
    kept = Registry(asked)
    assert scored(kept, kept.judged) == ([1.0, 1.0] if again else [0.25, 0.5])


@pytest.mark.parametrize("known", ["another file", "a line without scores", "no line"])
def test_kept_scores_count_only_if_they_are_those_that_the_ledger_names(scored, capsys, known):
    kept = Registry("this noise")
    lines = {
        "another file": Registry("other noise").judged,
        "a line without scores": SimpleNamespace(sha256="cafe", scores="", number=3),
        "no line": None,
    }
    assert scored(kept, lines[known]) == [1.0, 1.0]
    assert "it has no scores that the ledger knows" in capsys.readouterr().out


def test_a_champion_that_mlflow_gives_another_file_than_the_judged_one_is_refused(monkeypatch):
    monkeypatch.setattr(rescoring.registry, "champion", lambda *_: CHAMPION)
    model = SimpleNamespace(name="it", metadata=SimpleNamespace(sha256="cafe"))  # as MLflow says now
    lines = {sha256: SimpleNamespace(sha256=sha256, scores="", number=3) for sha256 in ("beef", "cafe")}
    with pytest.raises(EvermodelError, match=r"it version 7: .* line 3 of the ledger"):
        rescoring.rival(None, model, SimpleNamespace(judged={7: lines["beef"]}.get))
    book = SimpleNamespace(judged={7: lines["cafe"]}.get)
    assert rescoring.rival(None, model, book) is None, "it is the model itself"


@pytest.mark.parametrize(
    ("changes", "compared"),
    [
        ({"columns": [{"name": "b"}, {"name": "a"}]}, False),
        ({"columns": [{"name": "a"}, {"name": "b", "kind": "category"}]}, False),
        ({"columns": [{"name": "a", "mean": 9}, {"name": "b", "gaps": "fill"}]}, True),
        ({"classes": ()}, False),
        ({"classes": ("yes", "no")}, True),
    ],
    ids=[
        "columns that exchanged their names",
        "a column of another kind",
        "other statistics, and a column that may have gaps",
        "a number that is now a class",
        "an order of classes",
    ],
)
def test_kept_scores_count_only_if_the_champion_takes_and_tells_the_same(monkeypatch, changes, compared):
    scores = Scores(pd.DataFrame({"mse": [1.0, 1.0]}), "these rows", HOW)
    old, new = make_spec(**{"classes": ("no", "yes")} | changes), make_spec(classes=("no", "yes"))
    monkeypatch.setattr(rescoring.registry, "spec", lambda version: old)
    model = SimpleNamespace(spec=new, asked=new, scores=scores)
    kept = Registry("these rows")
    found = rescoring._scores(kept, CHAMPION, kept.judged, model)
    assert (found is not None) == compared


def test_a_champion_that_refuses_gaps_is_not_asked_for_rows_that_have_them(monkeypatch):
    scores = Scores(pd.DataFrame({"mse": [1.0, 1.0]}), "these rows", HOW)
    monkeypatch.setattr(rescoring.registry, "spec", lambda version: make_spec())
    new = make_spec(columns=[{"name": "a"}, {"name": "b", "gaps": "fill"}])
    kept = Registry("other rows")
    assert (
        rescoring._scores(kept, CHAMPION, kept.judged, SimpleNamespace(spec=new, asked=new, scores=scores))
        is None
    )
