"""The steps after which series repeat themselves, as their past shows it."""

from collections.abc import Sequence

import numpy as np

from evermodel.core.data import Array

A_DAY = {  # of so many steps, by how far they are apart
    **{"5 minutes": 288, "10 minutes": 144, "15 minutes": 96, "30 minutes": 48},
    **{"1 hour": 24, "2 hours": 12, "3 hours": 8, "4 hours": 6, "6 hours": 4},
}
# What may be a season, shortest first: a day, a week, a year.
SEASONS: dict[str, tuple[int, ...]] = {every: (day, 7 * day) for every, day in A_DAY.items()}
SEASONS |= {"1 day": (7,), "7 days": (52,), "1 month": (12,), "2 months": (6,), "3 months": (4,)}
CLEAR = 0.3  # correlation with what was one season before, from which on it is one
DEVIATIONS = 3  # of the correlation that noise has, which it must be above as well
ROUNDED = 1e-9  # of the range of values, below which what is left of them is rounding
LONGER = 0.05  # by which a longer season must be clearer than a shorter one


def strengths(series: Sequence[Array], every: str, most: int) -> dict[int, float]:
    """What may be a season, up to `most` steps, each with the correlation to what was one season before.

    series: (n,) float64 each, a value for each step, NaN for a gap; of several it is the median. 0 if none is
    as long as four seasons.
    """
    return {
        season: float(np.median([_correlation(one, season) for one in series]))
        for season in SEASONS.get(every, ())
        if season <= most
    }


def clear(found: dict[int, float], length: int) -> int | None:
    """The season among them, shortest first; None if there is no clear one. length: of the series."""
    least = max(CLEAR, DEVIATIONS / np.sqrt(max(length, 1)))
    season, best = None, least - LONGER
    for steps, strength in found.items():
        if strength >= best + LONGER:
            season, best = steps, strength
    return season


def _correlation(values: Array, season: int) -> float:
    """With the value one season before, without the trend.

    That is the mean of one season around each step, as in classical decomposition (Hyndman & Athanasopoulos,
    "Forecasting: Principles and Practice", 3.4).
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 4 * season:
        return 0.0
    places = np.arange(known[0], known[-1] + 1)
    values = np.interp(places, known, values[known])
    weights = np.ones(season + 1 - season % 2)
    if season % 2 == 0:
        weights[[0, -1]] = 0.5
    half = len(weights) // 2
    rest = values[half:-half] - np.convolve(values, weights / season, "valid")
    before, after = rest[:-season], rest[season:]
    if min(np.ptp(before), np.ptp(after)) <= ROUNDED * np.ptp(values):
        return 0.0
    return float(np.corrcoef(before, after)[0, 1])
