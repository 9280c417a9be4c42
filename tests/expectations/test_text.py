import numpy as np
import pandas as pd
import pytest

REVIEWS = {"classes": ["negative", "positive"], "expect": {"min_rows": 100}}


@pytest.fixture
def reviews() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "split": ["train"] * 100 + ["test"] * 100,
            "label": [0, 1] * 100,
            "words": np.arange(200) % 50 + 100,
            "unknown": 0.02,
            "sha256": [f"{number:064x}" for number in range(200)],
        }
    )


def test_good_texts_break_nothing(broken, reviews):
    assert broken(REVIEWS, "text", reviews) == []


def test_no_texts_are_too_few(broken, reviews):
    assert broken(REVIEWS, "text", reviews[:0]) == ['critical: "at least 100 texts" does not hold (found: 0)']


def test_an_empty_text_is_named(broken, reviews):
    reviews.loc[4, "words"] = 0
    (only,) = broken(REVIEWS, "text", reviews)
    assert only == 'critical: column words: "no text is empty" does not hold in 1 row (row 5: 0)'


def test_a_class_that_does_not_occur_is_named(broken, reviews):
    critical = broken(REVIEWS, "text", reviews[reviews["label"] == 0])
    assert 'critical: column label: "every class occurs" does not hold (found: missing positive)' in critical


def test_repeated_texts_are_a_warning(broken, reviews):
    reviews.loc[:4, "sha256"] = "0"
    (only,) = broken(REVIEWS, "text", reviews)
    assert only.startswith("warning: column sha256")


def test_many_unknown_words_are_a_warning(broken, reviews):
    (only,) = broken(REVIEWS, "text", reviews.assign(unknown=0.3))
    assert only.startswith("warning: column unknown")
    assert only.endswith("(found: 0.3)")


def test_a_text_of_unusual_length_is_a_warning(broken, reviews):
    reviews.loc[4, "words"] = 100_000
    (only,) = broken(REVIEWS, "text", reviews)
    assert only.startswith("warning: column words")
    assert "(row 5: 100000)" in only


RATED = {"target": "stars", "expect": {"min_rows": 100, "ranges": {"stars": [1, 5]}}}


def test_a_number_may_be_the_target_and_what_else_stands_there_is_not_examined(broken, reviews):
    stars = [str(number % 5 + 1) for number in range(200)]
    rated = reviews.drop(columns=["label", "split"]).assign(stars=stars, author=None)
    assert broken(RATED, "text", rated) == []
    rated.loc[[3, 4], "stars"] = ["7", "many"]
    (only,) = broken(RATED, "text", rated)
    assert only.startswith(
        'critical: column stars: "every value is a number from 1 to 5" does not hold in 2 rows'
    )


def test_a_number_that_is_stored_as_one_has_a_range_too(broken, reviews):
    rated = reviews.drop(columns="label").assign(stars=np.arange(200) % 7 + 0.5)
    critical = [one for one in broken(RATED, "text", rated) if one.startswith("critical")]
    assert critical[0].startswith('critical: column stars: "every value lies in 1 to 5" does not hold in ')
