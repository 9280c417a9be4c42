import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import LinearRegression

from evermodel.datasets.source import Edition
from evermodel.samples import mixes

PARTS = [
    "Cement",
    "Blast Furnace Slag",
    "Fly Ash",
    "Water",
    "Superplasticizer",
    "Coarse Aggregate",
    "Fine Aggregate",
]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mixes")
    edition = Edition.model_validate(
        {
            "name": "uci",
            "options": {"separator": ",", "header": True, "columns": [*PARTS, "Age", "Strength"]},
            "files": [{"name": "concrete_data.csv", "bytes": 1, "sha256": "0" * 64}],
        }
    )
    mixes.write(folder, edition)
    return folder / "concrete_data.csv"


@pytest.fixture(scope="module")
def table(file):
    return pd.read_csv(file)


def test_a_line_looks_as_in_the_real_table(file):
    header, first, *_ = file.read_text().splitlines()
    assert header == ",".join([*PARTS, "Age", "Strength"])
    parts = first.split(",")
    assert all(part.endswith(" ") for part in parts[:-1])
    assert parts[0].count(".") == 1
    assert parts[7].strip().isdigit()


def test_each_mix_is_tested_at_several_ages(table):
    ages = table.groupby(PARTS)["Age"].nunique()
    assert len(ages) == 150
    assert (ages == 4).all()


def test_concrete_gains_strength_with_age_and_loses_it_with_water(table):
    oldest, youngest = (table.loc[table.groupby(PARTS)["Age"].agg(pick)] for pick in ("idxmax", "idxmin"))
    assert oldest["Strength"].mean() > youngest["Strength"].mean() + 20
    assert oldest["Strength"].corr(oldest["Water"] / oldest["Cement"]) < -0.6


def test_no_straight_line_explains_the_strength_of_mixes_never_seen(table):
    x, y = table[[*PARTS, "Age"]], table["Strength"]
    test = table.groupby(PARTS).ngroup() % 5 == 0
    models = LinearRegression(), GradientBoostingRegressor(random_state=0)
    line, trees = (
        np.sqrt(np.mean((m.fit(x[~test], y[~test]).predict(x[test]) - y[test]) ** 2)) for m in models
    )
    assert trees < 0.6 * line
