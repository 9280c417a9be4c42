import pytest

from evermodel.core.errors import EvermodelError
from evermodel.training import fit
from tests.specs import make_spec

TWO = {"classes": ("no", "yes"), "class_rows": {"train": (30, 30), "validation": (2, 3), "test": (10, 10)}}


def rare(split: str, *counts: int) -> dict:
    return {**TWO, "class_rows": {**TWO["class_rows"], split: counts}}


@pytest.mark.parametrize(
    ("task", "kind"), [("forecasting", "table"), ("regression", "series"), ("segmentation", "text")]
)
def test_a_task_on_data_of_another_kind_is_refused(task, kind):
    with pytest.raises(EvermodelError, match=f"data set made holds {kind}, but the task {task} learns from"):
        fit.require(task, make_spec(kind), {})


def test_a_class_without_training_rows_is_refused_before_training():
    with pytest.raises(
        EvermodelError, match=r"'yes' of .* has 0 train rows,.*stratify: true.*made/params\.yaml"
    ):
        fit.require("classification", make_spec(**rare("train", 60, 0)), {})
    fit.require("anomaly", make_spec("images", **rare("train", 60, 0), novel=("yes",)), {})


def test_a_class_too_rare_for_an_interval_is_refused_before_training():
    with pytest.raises(EvermodelError, match="'yes' of data set made has 1 test rows, but needs 2"):
        fit.require("binary", make_spec(**rare("test", 19, 1)), {})
    three = {"classes": ("a", "b", "c"), "class_rows": {"train": (20, 20, 20), "test": (10, 9, 1)}}
    fit.require("classification", make_spec(**three), {})
    with pytest.raises(EvermodelError, match="'c' of data set made has 0 test rows"):
        fit.require(
            "classification",
            make_spec(**three | {"class_rows": {"train": (9, 9, 9), "test": (10, 10, 0)}}),
            {},
        )


def test_a_person_may_be_on_one_side_where_classes_are_the_groups():
    groups = {"train": 6, "validation": 1, "test": 3}
    fit.require("embedding", make_spec("images", classes=("ann", "bo"), groups=groups), {})


def test_test_rows_of_one_group_tell_no_interval():
    with pytest.raises(EvermodelError, match=r"one group.*split\.test in data/made/params\.yaml"):
        fit.require("regression", make_spec(groups={"train": 6, "validation": 1, "test": 1}), {})
    with pytest.raises(EvermodelError, match="one test row"):
        fit.require("regression", make_spec(rows={"train": 6, "validation": 1, "test": 1}), {})


def test_a_task_of_two_classes_refuses_three_whatever_the_model():
    three = {"classes": ("a", "b", "c"), "class_rows": {"train": (20, 20, 20), "test": (9, 9, 9)}}
    with pytest.raises(EvermodelError, match=r"3 classes .* the task needs two; choose the task class"):
        fit.require("binary", make_spec(**three), {})
