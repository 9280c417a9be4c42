import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from evermodel.core import fields
from evermodel.publishing import loader
from tests.specs import make_spec


def reading(**changes):
    return loader.reading(make_spec("table", **changes).model_dump(), fields.typed)


def test_mlflow_gets_a_table_for_a_table_and_an_array_for_an_array():
    asked = loader.Network(lambda x: 2 * np.asarray(x), reading(columns=[{"name": "a"}]))
    table = pd.DataFrame({"a": [1.0, 2.0]}, index=[7, 9])
    assert asked.predict(table)[0].to_dict() == {7: 2, 9: 4}
    assert asked.predict(np.ones((2, 3, 1))).shape == (2, 3, 1)


def test_numbers_are_read_as_the_files_that_the_model_learned_from_have_them():
    read = reading(layout={"decimal": ",", "thousands": "."})
    table = pd.DataFrame({"b": ["1.234,5", "2"], "other": "x", "a": [1, True]}, index=[7, 9])
    typed = read(table)
    assert typed.to_dict() == {"a": {7: 1, 9: 1}, "b": {7: 1234.5, 9: 2}}
    assert set(typed.dtypes) == {np.dtype("float64")}


@pytest.mark.parametrize("odd", [["1", "x"], [1, None], [1, np.inf], pd.to_datetime(["2020", "2021"])])
def test_what_is_no_number_is_refused_by_its_row_and_its_column(odd):
    with pytest.raises(ValueError, match=r"row [12], column b is .*"):
        reading()(pd.DataFrame({"a": [1, 2], "b": odd}))


def test_a_column_that_may_have_gaps_may_be_missing_and_another_may_not():
    read = reading(columns=[{"name": "a", "gaps": "fill"}, {"name": "b"}])
    assert read(pd.DataFrame({"b": [1]})).isna().to_numpy().tolist() == [[True, False]]
    with pytest.raises(ValueError, match="row 1, column b is empty"):
        read(pd.DataFrame({"a": [1]}))


@pytest.mark.parametrize("named", [True, False])
def test_an_estimator_is_asked_for_columns_by_name_if_it_knows_names(named):
    table = pd.DataFrame({"a": [1, 2], "b": [3, 5]})
    examples = table.astype(float) if named else table.to_numpy(float)
    model = LinearRegression().fit(examples, [4.0, 7.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert loader.Estimator(model, reading()).predict(table) == pytest.approx([4, 7])


def test_images_that_were_made_of_seeds_are_an_array():
    asked = loader.Network(
        lambda x: np.ones((len(x), 2, 2, 1)), reading(columns=[{"name": "seed", "kind": "whole"}])
    )
    assert asked.predict(pd.DataFrame({"seed": [1, 2, 3]})).shape == (3, 2, 2, 1)
