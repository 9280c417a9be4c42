import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import statistics
from evermodel.tasks import embedding
from tests.specs import make_spec

PEOPLE = np.array([5, 8, 5, 8, 5, 8, 3])
TEST = Split(np.zeros((7, 4, 4, 1), np.uint8), PEOPLE)


def at(*degrees):
    """Vectors in a plane, of any length, at these angles."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.arange(1, len(degrees) + 1)[:, None]


def intervals(scores):
    return statistics.intervals(embedding.statistics(make_spec()), scores, 0)


VECTORS = at(0, 90, 10, 100, 80, 95, 200)


def made(people, images, noise, seed=0):
    """Rows of people whose vectors lie around a place of their own."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(people), images)
    vectors = rng.normal(size=(people, 8))[y] + rng.normal(0, noise, (len(y), 8))
    return Split(np.zeros((len(y), 4, 4, 1), np.uint8), y), vectors


def test_the_larger_half_of_each_persons_pictures_is_the_gallery():
    scores = embedding.score(TEST, VECTORS, make_spec())
    roles = dict(zip(scores.index, scores["role"], strict=True))
    assert [row for row, role in roles.items() if role == "probe"] == [4, 5]


def test_ranks_and_margins_are_those_computed_by_hand():
    scores = embedding.score(TEST, VECTORS, make_spec())
    assert scores["nearest"].tolist()[4:6] == [8, 8]
    assert scores["rank"].tolist()[4:6] == [2, 1]
    assert scores["rank1"].tolist()[4:6] == [0, 1]
    cosines = np.cos(np.radians([70, 10, 5, 85]))
    assert scores["margin"].tolist()[4:6] == pytest.approx(
        [cosines[0] - cosines[1], cosines[2] - cosines[3]], abs=1e-5
    )


def test_a_gallery_face_does_not_find_itself():
    scores = embedding.score(TEST, VECTORS, make_spec())
    assert scores["rank1"].tolist()[:4] == [1, 1, 1, 1]
    assert (scores["rank"][6], scores["rank1"][6], scores["nearest"][6]) == (3, 0, 8)


def test_rank1_and_rank5_are_of_the_probes_alone():
    metrics = embedding.metrics(embedding.score(TEST, VECTORS, make_spec()), make_spec())
    assert (metrics["rank1"], metrics["rank5"]) == (0.5, 1)


def test_the_length_of_a_vector_does_not_count():
    once, twice = (embedding.score(TEST, VECTORS * by, make_spec()) for by in (1, 100))
    assert once["margin"].tolist() == twice["margin"].tolist()


def test_people_who_never_meet_are_perfectly_told_apart():
    test, vectors = made(6, 4, 0.001)
    metrics = embedding.metrics(embedding.score(test, vectors, make_spec()), make_spec())
    perfect = {"rank1": 1, "rank5": 1, "verification_auc": 1, "equal_error_rate": 0}
    assert metrics == pytest.approx(perfect, abs=1e-9)


@pytest.mark.parametrize("vector", [np.ones(8), np.zeros(8)])
def test_one_answer_for_everybody_recognises_nobody(vector):
    test, _ = made(6, 4, 1)
    scores = embedding.score(test, np.tile(vector, (24, 1)), make_spec())
    metrics = embedding.metrics(scores, make_spec())
    assert metrics == pytest.approx(
        {"rank1": 0, "rank5": 0, "verification_auc": 0.5, "equal_error_rate": 0.5}, abs=1e-9
    )
    assert intervals(scores)["verification_auc"] == (0.5, 0.5)


def test_the_equal_error_rate_makes_both_errors_alike():
    one, cosine = np.array([1, 1, 1, 1, 0, 0, 0, 0]), np.array([8, 7, 6, 2, 1, 3, 4, 7.5]) / 8
    assert embedding._equal_error_rate(one, cosine) == pytest.approx(0.25)


def area_of(scores, *people):
    """The area when these people are drawn, by their numbers."""
    area = embedding.statistics(make_spec())["verification_auc"]
    return statistics.draws(area, scores, None, 1).value(np.array(people))


def test_each_person_drawn_once_gives_the_area_itself():
    test, vectors = made(5, 4, 1.5)
    vectors[1] = vectors[0]  # a tie
    scores = embedding.score(test, vectors, make_spec())
    expected = embedding.metrics(scores, make_spec())["verification_auc"]
    assert area_of(scores, *range(5)) == pytest.approx(expected)
    assert 0.5 < expected < 1


def test_people_drawn_twice_count_as_if_their_pairs_stood_there_twice():
    test, vectors = made(3, 3, 1.5)
    scores = embedding.score(test, vectors, make_spec())
    cosine, one = statistics.verification(scores)
    first, second = (test.y[side] for side in np.triu_indices(9, 1))
    drawn = np.array([2, 1, 0])
    weights = np.where(one, drawn[first], drawn[first] * drawn[second])
    expected = roc_auc_score(one, cosine, sample_weight=weights)
    assert area_of(scores, 0, 0, 1) == pytest.approx(expected)


def test_intervals_are_wider_when_the_same_pictures_are_of_fewer_people():
    widths = []
    for people, images in ((4, 12), (24, 2)):
        test, vectors = made(people, images, 1.2, seed=1)
        found = intervals(embedding.score(test, vectors, make_spec()))
        widths.append({name: high - low for name, (low, high) in found.items()})
    assert widths[0]["verification_auc"] > widths[1]["verification_auc"]


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (np.zeros(7), r"shape \(7,\), but 7 test rows need \(7, 1\)"),
        (np.zeros((6, 2)), r"need \(7, 2\)"),
        (np.where(np.eye(7), np.nan, 0.0)[:, :2], "no finite number for 2 of 7"),
    ],
)
def test_what_is_no_vector_of_each_row_is_refused(prediction, words):
    with pytest.raises(EvermodelError, match=words):
        embedding.score(TEST, prediction, make_spec())


@pytest.mark.parametrize("people", [[1, 2, 3, 4], [1, 1, 1, 1]])
def test_people_whom_nobody_could_know_again_are_refused(people):
    with pytest.raises(EvermodelError, match=r"two people or more, one of them with two images"):
        embedding.score(Split(TEST.x[:4], np.array(people)), VECTORS[:4], make_spec())


def test_the_worst_are_probes_with_the_smallest_margin():
    worst = embedding.worst(embedding.score(TEST, VECTORS, make_spec()), make_spec(), 5)
    assert worst.index.tolist() == [4, 5]
    assert worst[["person", "nearest"]].to_numpy().tolist() == [[5, 8], [8, 8]]


def test_only_right_neighbours_are_framed():
    predictions = Predictions(TEST, VECTORS, VECTORS, TEST.x)
    figure = embedding.figures(embedding.score(TEST, VECTORS, make_spec()), make_spec(), predictions)[
        "neighbours"
    ]
    framed = [axes.spines["left"].get_visible() for axes in figure.axes]
    # Surest first: probe 5 (person 8, nearest 8 8 5 5 3), then probe 4 (person 5, nearest 8 8 5 5 3).
    assert np.flatnonzero(framed).tolist() == [1, 2, 9, 10]
