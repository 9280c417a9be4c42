import numpy as np
import pytest

from benchmarks import luck


@pytest.mark.parametrize("differ", [6, 20, 60])
def test_where_neither_is_better_no_more_are_promoted_than_allowed_at_any_look(differ):
    assert (luck.answers(differ, 0.5) <= luck.LEVELS).all()


def test_six_rows_tell_two_models_apart_at_the_first_look_alone():
    assert luck.answers(6, 0.5).tolist() == [1 / 64, 0, 0, 0, 0]


@pytest.mark.parametrize("draw", [luck.errors, luck.groups, luck.rare])
def test_pairs_are_drawn_of_which_one_is_better_more_often(draw):
    neither, one = (luck.drawn(draw, ahead, 60)[0] for ahead in (False, True))
    assert neither < one
    assert one > 0.2


@pytest.mark.parametrize("draw", [luck.errors, luck.groups, luck.rare])
def test_of_which_neither_is_better_the_errors_are_alike_in_the_mean(draw):
    rng = np.random.default_rng(1)
    gains = [(theirs - ours).mean() for (ours, theirs), _ in (draw(rng, False) for _ in range(2000))]
    assert np.mean(gains) == pytest.approx(0, abs=3 * np.std(gains) / 2000**0.5)


@pytest.mark.parametrize("how", luck.FOUND.values(), ids=luck.FOUND)
def test_a_better_model_that_looks_for_a_class_is_promoted_more_often(how):
    neither, one = (luck.found(how, ahead, 40)[0] for ahead in (False, True))
    assert neither < one


def test_all_is_told(capsys):
    luck.main(2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 17
    assert all(line.count("%") >= len(luck.LOOKS) for line in lines)
