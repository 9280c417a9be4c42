"""After how many steps series repeat themselves."""

import numpy as np
import pytest

from evermodel.adding import season

HOURS = np.arange(2400)
DAY = 1 + np.sin(HOURS * np.pi / 12)
NOISE = np.random.default_rng(5).normal(size=2400)


def found(values, every="1 hour", most=400):
    return season.clear(season.strengths([values], every, most), len(values))


def test_a_day_is_a_season_with_noise_and_trend():
    assert found(DAY + 0.5 * NOISE + HOURS / 50) == 24


def test_a_week_is_one_where_it_says_more_than_a_day():
    assert found(DAY * np.where(HOURS // 24 % 7 < 5, 1, 0.2) + 0.1 * NOISE) == 168


@pytest.mark.parametrize("values", [NOISE, NOISE.cumsum(), HOURS.astype(float), np.ones(2400)])
def test_noise_a_random_walk_a_trend_and_a_constant_have_no_season(values):
    assert found(values) is None


def test_gaps_are_no_obstacle():
    values = DAY + 0.3 * NOISE
    values[::10] = np.nan
    assert found(values) == 24
    assert found(np.full(2400, np.nan)) is None


def test_what_is_longer_than_it_may_be_is_not_looked_for():
    assert season.strengths([DAY], "1 hour", 20) == {}
    assert season.strengths([DAY], "17 minutes", 400) == {}


def test_the_correlation_of_several_series_is_that_of_most():
    strengths = season.strengths([DAY + 0.2 * NOISE, DAY, NOISE], "1 hour", 24)
    assert 0.5 < strengths[24] < 1


def test_few_steps_have_to_be_clearer():
    assert season.clear({12: 0.35}, 200) == 12
    assert season.clear({12: 0.35}, 40) is None
