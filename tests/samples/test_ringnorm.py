import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from evermodel.datasets.source import Edition
from evermodel.samples import ringnorm

COLUMNS = ["label", *(f"x{number}" for number in range(1, 21))]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ringnorm")
    edition = Edition.model_validate(
        {
            "name": "delve",
            "options": {"separator": ",", "header": True, "columns": COLUMNS},
            "files": [{"name": "ringnorm.csv", "bytes": 1, "sha256": "0" * 64}],
        }
    )
    ringnorm.write(folder, edition)
    return pd.read_csv(folder / "ringnorm.csv")


def test_it_has_the_rows_and_columns_of_the_delve_edition(table):
    assert list(table) == COLUMNS
    assert len(table) == 7400
    assert table["label"].value_counts(normalize=True).between(0.48, 0.52).all()


def test_one_cloud_is_wide_around_zero_and_the_other_narrow_beside_it(table):
    clouds = table.groupby("label")[COLUMNS[1:]]
    assert clouds.mean().loc[0].abs().max() < 0.15
    assert clouds.mean().loc[1].sub(2 / np.sqrt(20)).abs().max() < 0.1
    assert clouds.std().mean(axis=1).tolist() == pytest.approx([2, 1], abs=0.02)


def test_the_best_rule_errs_as_rarely_as_published_and_a_straight_line_often(table):
    x, y = table[COLUMNS[1:]].to_numpy(), table["label"].to_numpy()
    wide = -(x**2).sum(axis=1) / 8 - 20 * np.log(2)
    narrow = -((x - 2 / np.sqrt(20)) ** 2).sum(axis=1) / 2
    assert np.mean((narrow > wide) != y) == pytest.approx(0.013, abs=0.003)
    assert LogisticRegression().fit(x, y).score(x, y) < 0.8
