from pathlib import Path

import pytest

from evermodel.core.data import Prepared
from evermodel.core.errors import EvermodelError
from evermodel.runs.recipe import Train
from evermodel.training import fit
from tests.settings import refusal
from tests.specs import make_dataset, make_spec

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


RANGED = {"target": "price", "expect": {"min_rows": 1, "ranges": {"price": [0, 9]}}}


@pytest.mark.parametrize(
    ("task", "rules", "told"),
    [
        ("classification", RANGED, "expect.ranges in data/made/params.yaml makes price a number"),
        ("regression", {"classes": ["no", "yes"]}, "names classes"),
        ("regression", {"targets": {"age": [0, 1]}}, "several targets"),
        ("age_gender", {}, "has no targets"),
        ("multilabel", {}, "has no targets"),
        ("multilabel", {"targets": {"hot": [0, 1], "wet": [0, 3]}}, "the range of wet"),
    ],
)
def test_what_is_declared_must_be_what_the_task_predicts(task, rules, told):
    with pytest.raises(EvermodelError) as error:
        fit.require_declared("experiments/mine/params.yaml", task, make_dataset(**rules))
    assert str(error.value).startswith(f"experiments/mine/params.yaml: task {task} ")
    assert told in str(error.value)


@pytest.mark.parametrize("task", ["regression", "classification", "binary"])
def test_a_column_of_which_nothing_is_declared_goes_with_either_kind_of_task(task):
    fit.require_declared("experiments/mine/params.yaml", task, make_dataset())


def test_a_task_of_two_classes_refuses_three_whatever_the_model():
    three = {"classes": ("a", "b", "c"), "class_rows": {"train": (20, 20, 20), "test": (9, 9, 9)}}
    with pytest.raises(EvermodelError, match=r"3 classes .* the task needs two; choose the task class"):
        fit.require("binary", make_spec(**three), {})


@pytest.mark.parametrize(
    ("option", "value", "kind"),
    [("image_size", 64, "images"), ("random_flip", True, "images"), ("text", {"output": "int"}, "text")],
)
def test_an_option_of_training_is_refused_where_the_data_are_of_another_kind(option, value, kind):
    train = Train(optimizer="adam", learning_rate=0.1, batch_size=1, epochs=1, **{option: value})
    for other in ("table", "images", "text", "series"):
        if other == kind:
            fit.require_used("params.yaml", train, other)
        else:
            sentence = refusal(fit.require_used, "params.yaml", train, other)
            assert sentence.startswith(f"params.yaml: train.{option} is for {kind}")


def test_what_is_as_without_a_word_is_for_any_kind_of_data():
    train = Train(optimizer="adam", learning_rate=0.1, batch_size=1, epochs=1, random_flip=False, text={})
    fit.require_used("params.yaml", train, "table")
    fit.require_used("params.yaml", None, "table")


def test_what_makes_examples_needs_a_judge_before_it_is_trained():
    without, with_one = (Prepared(make_spec("images"), {}, weights) for weights in ({}, {"judge": Path("j")}))
    with pytest.raises(EvermodelError, match=r"data set made has no judge.*evermodel judge EXPERIMENT"):
        fit.require_judge("generation", without)
    fit.require_judge("generation", with_one)
    fit.require_judge("reconstruction", without)


def test_a_data_set_of_which_some_edition_declares_no_judge_is_refused():
    with pytest.raises(EvermodelError, match=r"vae/params\.yaml: data set made has no judge"):
        fit.require_declared("vae/params.yaml", "generation", make_dataset())
