from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from evermodel.evaluation import evaluation, statistics
from evermodel.publishing import rescoring
from evermodel.publishing.scores import Scores
from tests.specs import make_spec

HOW = {"mse": statistics.mean("mse")}


class Registry:
    """A champion's run, which keeps the scores of what it was asked."""

    def __init__(self, asked):
        self.asked = asked

    def download_artifacts(self, run_id, path, folder):
        file, table = Path(folder, "scores.parquet"), pd.DataFrame({"mse": [0.25, 0.5]})
        file.write_bytes(evaluation.scores_parquet(table, None, self.asked, HOW))
        return str(file)


@pytest.mark.parametrize(("asked", "again"), [("this noise", False), ("other noise", True)])
def test_kept_scores_count_only_if_the_champion_was_asked_the_same(monkeypatch, asked, again):
    new, spec = Scores(pd.DataFrame({"mse": [1.0, 1.0]}), "this noise", HOW), make_spec("images")
    monkeypatch.setattr(rescoring.registry, "spec", lambda version: spec)
    monkeypatch.setattr(rescoring.registry, "fetch", lambda version, folder: (folder, spec))
    monkeypatch.setattr(rescoring, "_scored_again", lambda *_: new)
    model = SimpleNamespace(spec=spec, scores=new)
    found = rescoring._scores(Registry(asked), SimpleNamespace(run_id="run"), model)
    assert found.table["mse"].tolist() == ([1.0, 1.0] if again else [0.25, 0.5])


@pytest.mark.parametrize(
    ("changes", "compared"),
    [
        ({"columns": ("b", "a", "c"), "classes": ("no", "yes")}, False),
        ({"classes": ()}, False),
        ({"classes": ("yes", "no")}, True),
    ],
    ids=["columns that exchanged their names", "a number that is now a class", "an order of classes"],
)
def test_kept_scores_count_only_if_the_champion_takes_and_tells_the_same(monkeypatch, changes, compared):
    scores = Scores(pd.DataFrame({"mse": [1.0, 1.0]}), "these rows", HOW)
    old, new = make_spec(**changes), make_spec(classes=("no", "yes"))
    monkeypatch.setattr(rescoring.registry, "spec", lambda version: old)
    model = SimpleNamespace(spec=new, scores=scores)
    found = rescoring._scores(Registry("these rows"), SimpleNamespace(run_id="run"), model)
    assert (found is not None) == compared
