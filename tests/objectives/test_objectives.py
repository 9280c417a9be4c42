import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab

from evermodel.core import catalog
from evermodel.core.errors import EvermodelError
from evermodel.tasks import denoising
from evermodel.training.objective import objective_of
from tests.specs import make_spec

COLOURS = np.random.default_rng(11).integers(0, 256, (3, 4, 5, 3)).astype(np.uint8)
LABELS = np.array([0, 1, 1])
OPTIONS = {"quantile": 0.9}


def spec(**changes):
    metadata = {"input_shape": (4, 5, 3), "classes": ("a", "b"), "targets": ("age", "gender")}
    return make_spec("images", **metadata | {"target_mean": (40.0, 0.5), "target_sd": (20.0, 0.5)} | changes)


def target(task, x=COLOURS, y=LABELS, **changes):
    return objective_of(task, spec(**changes), OPTIONS).target(x, y)


def test_what_is_learned_for_a_task_can_also_be_evaluated():
    assert set(catalog.modules("objectives")) <= set(catalog.modules("tasks"))


@pytest.mark.parametrize("task", catalog.modules("objectives"))
def test_a_task_says_what_a_network_is_trained_by(task):
    objective = objective_of(task, spec(), OPTIONS)
    assert objective.outputs
    assert objective.loss


@pytest.mark.parametrize("task", ["classification", "features", "binary"])
def test_labels_are_learned_as_they_are_stored(task):
    assert target(task) is LABELS


@pytest.mark.parametrize("task", ["regression", "forecasting", "quantile"])
def test_a_number_is_learned_as_its_distance_from_the_mean_in_64_bits(task):
    y = 1.7e9 + np.array([0.25, -0.25, 3.0])
    learned = target(task, y=y, target_mean=(1.7e9,), target_sd=(2.0,))
    assert (learned.dtype, learned.tolist()) == (np.float64, [0.25, -0.25, 3.0])


def test_each_step_to_come_is_learned_as_its_distance_from_the_mean_of_all():
    y = np.array([[12.0, 8.0], [10.0, 11.0]])
    values = {"target_mean": (10.0,), "target_sd": (2.0,), "horizon": 2}
    assert objective_of("forecasting", spec(**values), {}).outputs == 2
    assert target("forecasting", y=y, **values).tolist() == [[2, -2], [0, 1]]


@pytest.mark.parametrize("task", ["reconstruction", "denoising", "anomaly", "generation", "text_to_image"])
def test_an_image_is_its_own_target_from_0_to_1(task):
    learned = target(task)
    assert learned.dtype == np.float32
    assert learned == pytest.approx(COLOURS / 255)
    objective = objective_of(task, spec(), OPTIONS)
    assert (objective.outputs, objective.activation) == (3, "sigmoid")


def test_a_mask_is_learned_as_0_or_1():
    mask = np.random.default_rng(1).choice([0, 255], (3, 4, 5, 1)).astype(np.uint8)
    learned = target("segmentation", y=mask)
    assert learned.dtype == np.float32
    assert np.array_equal(learned, mask > 0)


def test_a_mask_of_several_classes_is_learned_by_their_numbers():
    mask = np.random.default_rng(1).integers(0, 3, (3, 4, 5, 1)).astype(np.uint8)
    objective = objective_of("segmentation", spec(classes=("rest", "road", "car")), {})
    assert (objective.outputs, objective.activation) == (3, "softmax")
    assert objective.target(COLOURS, mask) is mask


def test_colours_are_the_a_and_b_of_each_pixel():
    """White, black and gray have none; red, green and blue are where CIE Lab has them under D65."""
    pixels = [[255] * 3, [0] * 3, [128] * 3, [255, 0, 0], [0, 255, 0], [0, 0, 255]]
    known = [[0, 0]] * 3 + [[80.09, 67.20], [-86.18, 83.18], [79.19, -107.86]]
    learned = target("colorization", np.array(pixels, np.uint8)[None, None])
    np.testing.assert_allclose(learned[0, 0], known, atol=0.1)
    assert learned.dtype == np.float32


def test_colours_and_lightness_together_are_the_image_again():
    lab = np.concatenate([rgb2lab(COLOURS)[..., :1], target("colorization")], axis=-1)
    np.testing.assert_allclose(255 * lab2rgb(lab), COLOURS, atol=1)


def test_the_scale_of_colours_reaches_all_that_pixels_can_have():
    objective = objective_of("colorization", spec(), {})
    (factor,) = objective.scale.values()
    corners = np.array([[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)], np.uint8)
    assert not objective.offset
    assert np.abs(target("colorization", corners[None, None])).max() < factor


def test_each_head_learns_its_own_column():
    y = np.array([[30.0, 1], [40, 0], [50, 1]])
    learned = target("age_gender", y=y)
    assert {name: column.tolist() for name, column in learned.items()} == {
        "age": [[-10], [0], [10]],  # from the mean
        "gender": [[1], [0], [1]],
    }


@pytest.mark.parametrize(
    ("task", "changes"),
    [
        ("binary", {"classes": ("a", "b", "c")}),
        ("anomaly", {"classes": ()}),
        ("age_gender", {"targets": ("gender", "age")}),
        ("colorization", {"input_shape": (4, 5, 1)}),
    ],
)
def test_data_that_a_task_can_not_learn_from_are_refused(task, changes):
    with pytest.raises(EvermodelError, match=r"data set made .*; .*data/made/params\.yaml"):
        objective_of(task, spec(**changes), OPTIONS)


def test_errors_of_age_weigh_as_much_as_those_of_gender_whatever_its_unit():
    objective = objective_of("age_gender", spec(), {})
    one_deviation = 20.0**2 * objective.loss_weights["age"]
    assert one_deviation == pytest.approx(objective.loss_weights["gender"])
    assert (objective.scale, objective.offset) == ({"age": 20}, {"age": 40})


@pytest.mark.parametrize("task", ["regression", "forecasting", "quantile"])
def test_a_number_is_predicted_on_the_scale_of_the_training_rows(task):
    described = spec(target_mean=(180.0,), target_sd=(12.0,))
    objective = objective_of(task, described, OPTIONS)
    assert (objective.scale, objective.offset) == ({"": 12}, {"": 180})


def test_validation_shows_the_noise_that_models_are_judged_by():
    assert objective_of("denoising", spec(), {}).corrupt is denoising.inputs


def test_only_what_makes_examples_of_noise_is_saved_as_a_part_of_what_learns():
    making = [t for t in catalog.modules("objectives") if objective_of(t, spec(), OPTIONS).makes]
    assert making == ["generation"]
    writing = [t for t in catalog.modules("objectives") if objective_of(t, spec(), OPTIONS).writes]
    assert writing == ["language_modelling"]
    drawing = [t for t in catalog.modules("objectives") if objective_of(t, spec(), OPTIONS).draws]
    assert drawing == ["text_to_image"]


def test_of_all_tasks_only_denoising_shows_validation_something_else():
    quiet = set(catalog.modules("objectives")) - {"denoising"}
    assert not [task for task in quiet if objective_of(task, spec(), OPTIONS).corrupt]


def test_a_class_has_an_output_and_two_of_them_share_one():
    assert objective_of("classification", spec(classes=("a", "b", "c")), {}).outputs == 3
    assert objective_of("binary", spec(), {}).outputs == 1


@pytest.mark.parametrize("quantile", [0.0, 1.0, 1.5, -0.1])
def test_a_quantile_is_a_share_between_0_and_1(quantile):
    with pytest.raises(EvermodelError, match=r"options\.quantile"):
        objective_of("quantile", spec(), {"quantile": quantile})


def test_the_loss_of_a_quantile_is_the_least_where_that_share_lies_below():
    y = np.arange(101, dtype=np.float32)[:, None]
    loss = objective_of("quantile", spec(), {"quantile": 0.9}).loss
    costs = [np.mean(loss(y, np.full_like(y, at))) for at in range(101)]
    assert np.argmin(costs) == 90
    assert float(loss(y[:1], y[:1] + 2)[0]) == pytest.approx(0.1 * 2)
    assert float(loss(y[:1] + 2, y[:1])[0]) == pytest.approx(0.9 * 2)


def test_several_numbers_weigh_alike_whatever_their_units():
    described = spec(targets=("m", "mm"), target_mean=(1.0, 1000.0), target_sd=(2.0, 2000.0))
    objective = objective_of("multiregression", described, {})
    y = np.array([[3.0, 3000.0], [1.0, -1000.0]])
    learned = objective.target(None, y)
    assert learned.tolist() == [[2, 2000], [0, -2000]]
    assert objective.loss(learned, np.zeros((2, 2), np.float32)).numpy().tolist() == [1, 0.5]
    assert objective.outputs == 2
    assert objective.scale[""].tolist() == [2, 2000]
    assert objective.offset[""].tolist() == [1, 1000]


def test_each_label_is_learned_by_itself():
    y = np.array([[1.0, 0.0]])
    objective = objective_of("multilabel", spec(targets=("hot", "wet")), {})
    assert (objective.outputs, objective.activation) == (2, "sigmoid")
    assert objective.target(None, y) is y
