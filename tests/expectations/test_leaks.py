"""What tells the target alone, and what does so together."""

import numpy as np
import pandas as pd
import pytest

from evermodel.expectations import leaks

ROWS = 400
DRAWN = np.random.default_rng(0)


def texts(values):
    return pd.Series(list(values), dtype=object)


def test_a_copy_of_the_label_in_other_words_tells_it_and_half_of_it_does_not():
    label = pd.Series(DRAWN.choice(["died", "lived", "lost"], ROWS, p=[0.7, 0.25, 0.05]))
    assert (
        leaks.determination(texts(label.map({"died": "no", "lived": "yes", "lost": None})), label, "class")
        == 1
    )
    assert leaks.determination(label.map({"died": 3.0, "lived": 1.0, "lost": 2.0}), label, "class") == 1
    assert leaks.determination(texts(label == "died").map(str), label, "class") < 0.7


def test_categories_that_do_not_recur_are_not_learned_by_heart():
    label = pd.Series(DRAWN.choice(["a", "b"], ROWS))
    assert leaks.determination(texts(map(str, range(ROWS))), label, "class") == 0


def test_a_category_tells_a_number_as_far_as_it_orders_it():
    number = pd.Series(np.arange(ROWS, dtype=float))
    tenths = texts(map(str, (number // 40).astype(int)))
    assert leaks.determination(tenths, number, "number") > leaks.LEAK
    drawn = texts(DRAWN.choice(list("abcdefghij"), ROWS))
    assert leaks.determination(drawn, number, "number") < 0.2


def test_a_number_tells_another_by_its_rank_and_gaps_do_not_matter():
    number = pd.Series(np.arange(ROWS, dtype=float))
    assert leaks.determination((number**3).where(number % 7 > 0), number, "number") == pytest.approx(1)
    assert leaks.determination(pd.Series(np.nan, number.index), number, "number") == 0


def amounts(rows=ROWS):
    frame = pd.DataFrame({name: DRAWN.gamma(2, 3, rows) for name in ("fare", "tip", "tolls", "distance")})
    frame["fare"] += 3 * frame["distance"]
    return frame.assign(total=frame.fare + frame.tip + frame.tolls + DRAWN.choice([0.5, 1.0], rows))


def test_the_parts_of_a_sum_are_found_whichever_is_asked_for():
    frame = amounts()
    assert leaks.told_together(frame.drop(columns="fare"), frame.fare) == ("tip", "tolls", "total")
    assert leaks.told_together(frame.drop(columns="total"), frame.total) == ("fare", "tip", "tolls")


def test_what_only_goes_with_a_target_is_no_part_of_it():
    frame = amounts()
    assert leaks.told_together(frame[["tip", "tolls", "distance"]], frame.fare) == ()
    exact = 2 * frame.tip + 3 * frame.distance  # a law, which a model is to find
    assert leaks.told_together(frame[["tip", "distance"]], exact) == ()
    assert leaks.told_together(amounts(8)[["tip", "total"]], amounts(8).fare) == ()
