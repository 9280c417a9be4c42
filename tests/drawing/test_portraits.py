from dataclasses import replace

import numpy as np
import pytest

from evermodel.drawing import portraits
from evermodel.drawing.portraits import Look


@pytest.fixture
def who():
    return replace(portraits.person(np.random.RandomState(3), 30, True, 0), glasses=False)


def image(who, **look):
    look = Look(noise=0, **look)
    return np.asarray(portraits.photograph(who, look, np.random.RandomState(0), 64, 64, 2), dtype=float)


def test_a_broad_open_smile_shows_teeth(who):
    who = replace(who, skin=portraits.SKINS[1])  # dark: nothing else below the eyes is white

    def white(**look):
        return (image(who, **look)[40:56, 20:44].min(axis=-1) > 190).sum()

    assert white(smile=1, gape=1) > 10
    assert white(smile=0, gape=0) == 0


def test_glasses_change_only_what_is_around_the_eyes(who):
    change = np.abs(image(replace(who, glasses=True)) - image(who)).max(axis=(1, 2))
    assert change[20:36].max() > 50
    assert change[45:].max() == 0


def test_an_old_face_has_wrinkles_where_a_young_one_is_smooth(who):
    young, old = (image(replace(who, age=age))[:, 20:44].mean(axis=-1) for age in (20, 85))
    assert np.abs(np.diff(old, axis=0)).mean() > 1.1 * np.abs(np.diff(young, axis=0)).mean()


def test_the_same_random_numbers_draw_the_same_person():
    one, other = (portraits.person(np.random.RandomState(9), 50, False, 2) for _ in range(2))
    assert one == other


def test_small_children_have_no_beard_and_no_gray_hair():
    random = np.random.RandomState(0)
    children = [portraits.person(random, 3, False, 0) for _ in range(50)]
    assert not any(child.beard for child in children)
    assert {child.hair for child in children} <= set(portraits.HAIRS)
