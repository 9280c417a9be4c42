import numpy as np
import pytest

from evermodel.models import persistence

WINDOWS = np.arange(24.0).reshape(4, 3, 2)


@pytest.mark.parametrize(("column", "predictions"), [(0, [4, 10, 16, 22]), (1, [5, 11, 17, 23])])
def test_tomorrow_is_what_the_column_was_at_the_last_step(column, predictions):
    model = persistence.build((3, 2), "forecasting", column=column).fit(WINDOWS, np.zeros(4))
    assert model.predict(WINDOWS).tolist() == predictions
