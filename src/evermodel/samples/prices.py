"""A synthetic share whose price swings around a level, in the columns of a table of daily stock prices."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.tseries.holiday import USFederalHolidayCalendar
from pandas.tseries.offsets import CustomBusinessDay
from scipy import signal

from evermodel.core.data import Array
from evermodel.datasets.source import Edition

HEADER = ("Date", "Open", "High", "Low", "Close", "Volume")
FIRST = "2014-03-20"
DAYS, TEST_DAYS = 700, 60  # the last to train with is in 2016, the first of the test in 2017
LEVEL = 620.0  # dollars
WAVE = 35.0  # dollars to each side
PERIOD = 110  # trading days
NOISE = 7.0  # dollars, the standard deviation of each day's news
REVERSAL = -0.5  # the share of yesterday's noise that is in today's: what went too far comes back


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's two files, a trading day a line; that of the test goes on where the other ends."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    rows = _rows(np.random.RandomState(2012))
    for split, part in {"train": rows[:DAYS], "test": rows[DAYS:]}.items():
        with (folder / edition.options["splits"][split]).open("w", encoding="ascii", newline="") as stream:
            csv.writer(stream).writerows([HEADER, *part])


def _rows(random: np.random.RandomState) -> list[list[str]]:
    """Date, open, high, low, close and volume of each day as the table writes them."""
    count = DAYS + TEST_DAYS
    opened = _opened(random, count)
    closed = opened + 3 * random.normal(size=count)
    high, low = (edge(opened, closed) for edge in (np.maximum, np.minimum))
    spread = np.abs(3 * random.normal(size=(2, count)))
    prices = np.column_stack([opened, high + spread[0], low - spread[1], closed])
    volumes = np.round(np.exp(14.5 + 0.3 * random.normal(size=count)), -2)
    days = pd.date_range(FIRST, periods=count, freq=CustomBusinessDay(calendar=USFederalHolidayCalendar()))
    return [
        [f"{day.month}/{day.day}/{day.year}", *map(_price, row), f"{volume:,.0f}"]
        for day, row, volume in zip(days, prices, volumes, strict=True)
    ]


def _opened(random: np.random.RandomState, count: int) -> Array:
    """A slow wave whose length and height drift a little, and noise that turns back at once, (count,)."""
    phase = 2 * np.pi * np.cumsum(1 + 0.3 * random.normal(size=count)) / PERIOD
    height = 1 + 0.15 * np.sin(2 * np.pi * np.arange(count) / (3.3 * PERIOD))
    noise = signal.lfilter([NOISE], [1, -REVERSAL], random.normal(size=count))
    opened: Array = LEVEL + WAVE * height * np.sin(phase) + noise
    return opened


def _price(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
