import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from evermodel.publishing import loader


def test_mlflow_gets_a_table_for_a_table_and_an_array_for_an_array():
    asked = loader.Network(lambda x: 2 * x)
    table = pd.DataFrame({"a": [1.0, 2.0]}, index=[7, 9])
    assert asked.predict(table)[0].to_dict() == {7: 2, 9: 4}
    assert asked.predict(np.ones((2, 3, 1))).shape == (2, 3, 1)


def test_whole_numbers_and_booleans_are_numbers():
    table = pd.DataFrame({"a": [1, 2], "b": [True, False], "c": np.array([0.5, np.nan], np.float32)})
    x = loader.numbers(table)
    assert x.dtype == np.float64
    assert np.array_equal(x, [[1, 1, 0.5], [2, 0, np.nan]], equal_nan=True)


@pytest.mark.parametrize("odd", [["1", "2"], ["x", "y"], [None, None], pd.to_datetime(["2020", "2021"])])
def test_anything_else_is_refused_by_the_name_of_its_column(odd):
    with pytest.raises(ValueError, match=r"column 'b' holds .*; the model takes numbers"):
        loader.numbers(pd.DataFrame({"a": [1, 2], "b": odd}))


def test_an_estimator_that_knows_its_columns_is_asked_by_their_names():
    table = pd.DataFrame({"a": [1, 2], "b": [3, 5]})
    model = LinearRegression().fit(table.astype(float), [4.0, 7.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert loader.Estimator(model).predict(table) == pytest.approx([4, 7])
