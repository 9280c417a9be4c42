import numpy as np
import pytest

from evermodel.evaluation import manifold

LINE = np.arange(6.0)[:, None]  # the third neighbour is 3 away from the ends, and 2 from the others


def test_a_point_is_within_a_cloud_if_some_point_is_as_near_as_its_own_third_neighbour():
    asked = np.array([[2.5], [8.0], [8.1], [-3.0], [-3.5]])
    assert manifold.within(asked, LINE).tolist() == [True, True, False, True, False]


def test_a_cloud_is_within_itself_and_not_within_one_far_away():
    assert manifold.within(LINE, LINE).all()
    assert not manifold.within(LINE + 100, LINE).any()


def test_points_on_a_part_of_a_cloud_lie_within_it_but_the_cloud_not_within_them():
    rng = np.random.default_rng(1)
    whole, part = rng.normal(size=(300, 2)), rng.normal(size=(300, 2))
    part[:, 0] = np.abs(part[:, 0])
    assert manifold.within(part, whole).mean() > 0.95
    assert manifold.within(whole, part).mean() == pytest.approx(0.55, abs=0.1)


def test_few_points_have_fewer_neighbours():
    assert manifold.within(np.array([[0.5], [3.0]]), LINE[:2]).tolist() == [True, False]


def test_the_nearest_point_is_told_by_its_distance_and_its_row():
    distance, row = manifold.nearest(np.array([[0.25], [9.0]]), LINE)
    assert distance.tolist() == [0.25, 4]
    assert row.tolist() == [0, 5]
