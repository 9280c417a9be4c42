import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from evermodel.core import rows
from evermodel.core.data import Split
from evermodel.evaluation import importance
from evermodel.tasks import binary, quantile, regression
from tests.specs import make_spec

SPEC = make_spec(
    columns=({"name": "size"}, {"name": "colour of it", "kind": "category"}, {"name": "luck", "gaps": "fill"})
)


@pytest.fixture
def split():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=300),
            "colour of it": pd.Series(rng.choice(np.array(["red", "blue", None], object), 300), dtype=object),
            "luck": np.where(rng.random(300) < 0.1, np.nan, rng.normal(size=300)),
        }
    )
    return Split(rows.of(frame, SPEC.columns), predict(frame) + rng.normal(0, 0.1, 300))


def predict(table):
    """A model that knows nothing of luck."""
    assert list(table) == list(SPEC.names)
    assert [table[name].dtype for name in SPEC.names] == [float, object, float]
    return 3 * table["size"].to_numpy() + (table["colour of it"] == "red").to_numpy()


def test_columns_are_ranked_by_what_the_model_loses_without_them(split):
    worth = importance.of_columns(regression, predict, split, SPEC, {}, 0)
    assert worth["column"].tolist() == ["size", "colour of it", "luck"]
    assert list(worth) == ["column", "mae", "sd"]
    # The mean distance of two draws of a normal distribution, and how often two draws differ in being red.
    expected = 3 * 2 / np.sqrt(np.pi), 4 / 9
    assert worth["mae"].tolist()[:2] == pytest.approx(expected, rel=0.15)
    assert worth["mae"][2] == worth["sd"][2] == 0


def test_a_metric_of_which_more_is_better_loses_too(split):
    spec = SPEC.model_copy(update={"classes": ("low", "high")})
    labelled = Split(split.x, (split.y > 0).astype(int))

    def probable(table):
        return 1 / (1 + np.exp(-predict(table)))

    worth = importance.of_columns(binary, probable, labelled, spec, {}, 0)
    assert list(worth) == ["column", "accuracy", "sd"]
    assert worth["column"][0] == "size"
    assert worth["accuracy"][0] > 0.3


def test_the_same_seed_deals_alike_and_another_otherwise(split):
    first, again, other = (
        importance.of_columns(quantile, predict, split, SPEC, {"quantile": 0.9}, seed) for seed in (1, 1, 2)
    )
    assert importance.files(first, "it", SPEC) == importance.files(again, "it", SPEC)
    assert not first.equals(other)


def test_no_more_rows_are_asked_than_fit_however_many_there_are(split, monkeypatch):
    asked = []

    def counting(table):
        asked.append(len(table))
        return predict(table)

    monkeypatch.setattr(importance, "CELLS", 90)
    importance.of_columns(regression, counting, split, SPEC, {}, 0)
    assert asked == [30] * (1 + 3 * importance.REPEATS)


def test_the_picture_and_the_table_are_of_the_same_columns():
    many = pd.DataFrame({"column": [f"c{n}" for n in range(40)], "mae": np.linspace(1, 0, 40), "sd": 0.1})
    written = importance.files(many, "it", SPEC)
    assert pd.read_csv(io.BytesIO(written["importance.csv"])).equals(many)
    assert Image.open(io.BytesIO(written["importance.png"])).size[1] > 900
