import numpy as np
import pytest

from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import pixel_classes
from evermodel.tasks import segmentation
from tests.specs import make_spec

TRUTH = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
P = np.array([[0.9, 0.2, 0.8, 0.1], [0.9, 0.1, 0.2, 0.4], [0.1, 0.2, 0.3, 0.4]])


def masks(rows, kind):
    return np.array(rows).reshape(-1, 2, 2, 1).astype(kind)


TEST = Split(np.full((3, 2, 2, 3), 100, np.uint8), masks(TRUTH * 255, np.uint8))


@pytest.fixture
def judged():
    """The scores of a prediction, and their metrics."""

    def judge(p, test=TEST):
        scores = segmentation.score(test, masks(p, np.float32), make_spec())
        return scores, segmentation.metrics(scores, make_spec())

    return judge


def test_scores_are_those_computed_by_hand(judged):
    scores, _ = judged(P)
    assert scores["dice"].tolist() == [0.5, 1, 1]
    assert scores["iou"].tolist() == pytest.approx([1 / 3, 1, 1])
    assert scores["pixel_accuracy"].tolist() == [0.5, 1, 1]
    assert scores["log_loss"][0] == pytest.approx(-np.log([0.9, 0.2, 0.2, 0.9]).mean(), rel=1e-6)
    assert scores.loc[0, segmentation.COUNTS].tolist() == [1, 1, 1, 1]


def test_pooled_metrics_are_of_all_pixels_as_one_picture(judged):
    _, metrics = judged(P)
    assert metrics["dice"] == pytest.approx(2.5 / 3)
    assert metrics["pooled_dice"] == pytest.approx(2 * 2 / (3 + 3))
    assert metrics["pooled_iou"] == pytest.approx(2 / 4)
    assert metrics["pixel_accuracy"] == pytest.approx(10 / 12)


def test_the_truth_itself_is_perfect(judged):
    _, metrics = judged(TRUTH)
    assert metrics.pop("log_loss") == pytest.approx(0, abs=1e-6)
    assert set(metrics.values()) == {1}


def test_an_empty_mask_is_right_only_where_there_is_nothing(judged):
    scores, _ = judged(np.zeros((3, 4)))
    assert scores["dice"].tolist() == scores["iou"].tolist() == [0, 0, 1]


def test_a_mask_where_there_is_nothing_is_wrong(judged):
    scores, metrics = judged(np.ones((3, 4)))
    assert scores["dice"].tolist() == pytest.approx([2 / 3, 0.4, 0])
    assert metrics["pooled_iou"] == 3 / 12


def test_half_a_chance_is_background(judged):
    scores, _ = judged(np.full((3, 4), 0.5))
    assert scores["true_positive"].sum() == 0


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (np.zeros((3, 2, 2)), r"\(3, 2, 2\).*need \(3, 2, 2, 1\)"),
        (np.zeros((3, 2, 2, 2)), "one channel and a sigmoid"),
        (np.full((3, 2, 2, 1), np.inf), "no finite number for 3 of 3"),
        (np.full((3, 2, 2, 1), 255.0), "from 255 to 255, but they must lie between 0 and 1"),
        (np.full((3, 2, 2, 1), -0.1), "between 0 and 1"),
    ],
)
def test_what_is_no_probability_of_each_pixel_is_refused(p, words):
    with pytest.raises(EvermodelError, match=words):
        segmentation.score(TEST, p, make_spec())


def test_the_worst_have_the_smallest_dice(judged):
    worst = segmentation.worst(judged(P)[0], make_spec(), 1)
    assert worst.to_dict("index") == {0: {"dice": 0.5, "pixels missed": 1, "pixels too many": 1}}


def test_errors_keep_their_colour_whichever_other_kinds_there_are(judged):
    predictions = Predictions(TEST, masks(1 - TRUTH, float), masks(P, float), TEST.x)
    figure = segmentation.figures(judged(1 - TRUTH)[0], make_spec(), predictions)["overlays"]
    red, green, blue = figure.axes[2].get_images()[0].get_array()[1, 0].astype(int)  # wrongly marked
    assert red > green > blue
    red, green, blue = figure.axes[2].get_images()[0].get_array()[0, 0].astype(int)  # missed
    assert min(red, green) > blue


CLASSES = ("rest", "road", "car (parked)")
NUMBERS = np.array([[0, 1, 1, 2], [0, 0, 0, 0]])


@pytest.fixture
def judged_classes():
    """The scores of predicted class numbers, each with that probability, and their metrics."""

    def judge(numbers, sure=0.8):
        p = np.full((*NUMBERS.shape, 3), (1 - sure) / 2)
        np.put_along_axis(p, np.array(numbers)[..., None], sure, axis=-1)
        test = Split(np.full((2, 2, 2, 3), 100, np.uint8), masks(NUMBERS, np.uint8))
        spec, prediction = make_spec(classes=CLASSES, masks=True), p.reshape(2, 2, 2, 3).astype(np.float32)
        scores = segmentation.score(test, prediction, spec)
        return scores, segmentation.metrics(scores, spec), Predictions(test, prediction, prediction, test.x)

    return judge


def test_scores_of_several_classes_are_those_computed_by_hand(judged_classes):
    """The first image has a road pixel taken for rest; in the second one pixel of rest is called car."""
    scores, metrics, _ = judged_classes([[0, 0, 1, 2], [0, 0, 2, 0]])
    assert scores["dice"].tolist() == pytest.approx([np.mean([2 / 3, 2 / 3, 1]), np.mean([6 / 7, 0])])
    assert scores["iou"].tolist() == pytest.approx([np.mean([1 / 2, 1 / 2, 1]), np.mean([3 / 4, 0])])
    assert scores["pixel_accuracy"].tolist() == [0.75, 0.75]
    assert scores["log_loss"][0] == pytest.approx(-np.log([0.8, 0.1, 0.8, 0.8]).mean(), rel=1e-6)
    assert metrics["dice"] == pytest.approx(scores["dice"].mean())
    pooled = {"rest": 4 / 6, "road": 1 / 2, "car _parked_": 1 / 2}
    assert {name: metrics[f"iou_{name}"] for name in pooled} == pytest.approx(pooled)
    assert metrics["pooled_iou"] == pytest.approx(np.mean([*pooled.values()]))
    assert metrics["dice_rest"] == pytest.approx(8 / 10)


def test_the_truth_of_several_classes_is_perfect(judged_classes):
    _, metrics, _ = judged_classes(NUMBERS, sure=1)
    assert metrics.pop("log_loss") == pytest.approx(0, abs=1e-6)
    assert set(metrics.values()) == {1}


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (np.zeros((2, 2, 2, 1)), r"need \(2, 2, 2, 3\): .* each of 3 classes .* a softmax"),
        (np.full((2, 2, 2, 3), np.nan), "no finite number for 2 of 2"),
        (np.full((2, 2, 2, 3), 2.0), "between 0 and 1"),
    ],
)
def test_what_is_no_probability_of_each_class_is_refused(p, words):
    test = Split(np.full((2, 2, 2, 3), 100, np.uint8), masks(NUMBERS, np.uint8))
    with pytest.raises(EvermodelError, match=words):
        segmentation.score(test, p, make_spec(classes=CLASSES, masks=True))


def test_classes_keep_their_colour_and_the_first_has_none(judged_classes):
    scores, _, predictions = judged_classes(NUMBERS)
    figures = segmentation.figures(scores, make_spec(classes=CLASSES, masks=True), predictions)
    assert set(figures) == {"dice", "overlays", "classes"}
    shown = figures["overlays"].axes[2].get_images()[0].get_array()
    assert len(set(shown[0, 0].tolist())) == 1  # gray
    red, green, blue = shown[0, 1].astype(int)
    assert red > green > blue  # orange
    red, green, blue = shown[1, 1].astype(int)
    assert red < green < blue  # sky blue


def test_the_worst_of_several_classes_have_the_smallest_dice(judged_classes):
    scores, _, _ = judged_classes([[0, 0, 1, 2], [0, 0, 2, 0]])
    worst = segmentation.worst(scores, make_spec(classes=CLASSES, masks=True), 1)
    assert worst.to_dict("index") == {1: {"dice": pytest.approx(3 / 7), "share of pixels right": 0.75}}


@pytest.mark.parametrize("count", [3, 8, 9, 200])
def test_every_class_has_a_colour_of_its_own(count):
    colours = pixel_classes.palette(count)
    assert len(set(colours)) == count
    answer = np.eye(count)[None]
    assert pixel_classes.coloured(answer).shape == (1, count, 3)
    assert pixel_classes.coloured(answer)[0, 0].tolist() == [0, 0, 0]
