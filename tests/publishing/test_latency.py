from itertools import cycle
from types import SimpleNamespace

import numpy as np
import pytest

from evermodel.publishing import latency
from evermodel.publishing.policy import Promotion

ROWS = [np.zeros((1, 2))] * 3


class Clock:
    """Time as it passes on a machine that is now and then `busy` times as slow."""

    def __init__(self, busy=(1,)):
        self.now, self.busy, self.calls = 0.0, cycle(busy), 0

    def perf_counter(self):
        return self.now

    def takes(self, *seconds):
        """A model that takes so long; the first call, which compiles, a hundred times that."""
        turns = iter([100 * seconds[0], *list(seconds) * latency.TURNS])

        def predict(x):
            self.calls += 1
            self.now += next(turns) * next(self.busy)

        return predict


@pytest.fixture
def measure(monkeypatch):
    def ratio(ours, theirs, busy=(1,)):
        clock = Clock(busy)
        monkeypatch.setattr(latency, "time", clock)
        return latency.ratio(clock.takes(*ours), ROWS, clock.takes(*theirs), ROWS[0])

    return ratio


def test_it_is_how_many_times_as_long_as_the_reference(measure):
    assert measure([6.0], [2.0]) == pytest.approx(3)
    assert measure([1.0], [2.0]) == pytest.approx(0.5)


def test_a_machine_that_becomes_busy_slows_both(measure):
    turns = 2 * (latency.TURNS // 2)
    assert measure([6.0], [2.0], busy=[1] * turns + [10] * turns) == pytest.approx(3)


def test_a_turn_that_was_disturbed_now_and_then_does_not_count(measure):
    assert measure([6.0, 6.0, 600.0], [2.0]) == pytest.approx(3)


def test_nothing_is_measured_unless_the_policy_asks_for_it():
    plain = SimpleNamespace(policy=Promotion(metric="mae", ceiling=4.0))
    assert latency.measured(plain, None) is plain


def test_the_reference_is_asked_as_a_network_is_served():
    assert latency.reference()(np.zeros((1, latency.INPUTS), np.float32)).shape == (1, 1)
