import numpy as np
import pytest

from evermodel.models import persistence, seasonal_persistence

WINDOWS = np.arange(24.0).reshape(4, 3, 2)
ONE, FOUR = np.zeros(4), np.zeros((4, 4))


@pytest.mark.parametrize(("column", "predictions"), [(0, [4, 10, 16, 22]), (1, [5, 11, 17, 23])])
def test_tomorrow_is_what_the_column_was_at_the_last_step(column, predictions):
    model = persistence.build((3, 2), "number", column=column).fit(WINDOWS, ONE)
    assert model.predict(WINDOWS).tolist() == predictions


def test_all_steps_to_come_are_as_the_last_one():
    model = persistence.build((3, 2), "number").fit(WINDOWS, FOUR)
    assert model.predict(WINDOWS[:2]).tolist() == [[4] * 4, [10] * 4]


def test_the_next_step_is_what_it_was_a_season_before():
    model = seasonal_persistence.build((3, 2), "number", season=2, column=1).fit(WINDOWS, ONE)
    assert model.predict(WINDOWS).tolist() == [3, 9, 15, 21]


def test_steps_beyond_a_season_are_as_its_steps_from_the_first_on():
    model = seasonal_persistence.build((3, 2), "number", season=2).fit(WINDOWS, FOUR)
    assert model.predict(WINDOWS[:1]).tolist() == [[2, 4, 2, 4]]


def test_a_window_is_a_season_unless_told_and_holds_one():
    model = seasonal_persistence.build((3, 2), "number").fit(WINDOWS, FOUR)
    assert model.predict(WINDOWS[:1]).tolist() == [[0, 2, 4, 0]]
    with pytest.raises(ValueError, match="season must be 1 to 3, the steps of a window, not 4"):
        seasonal_persistence.build((3, 2), "number", season=4)
