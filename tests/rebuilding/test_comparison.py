import math
from dataclasses import replace

import pytest

from evermodel.rebuilding.comparison import Comparison, Making, compare

STAGES = ("fetch", "validate", "prepare", "train", "evaluate")
RECORDED = Making(
    sha256="model",
    key="key",
    test_hash="rows",
    figures={"mae": 2.0, "mae_low": 1.5, "mae_high": 2.5, "auc": math.nan},
    params={"runtime.seed": "42", "runtime.threads": "4"},
    machine={"processor": "x86_64", "device": "cpu", "cores": "4"},
    environment="lock",
    outputs={stage: stage for stage in STAGES},
)


def rebuilt(*stages, mae=2.0, **others):
    """The same again, but that these stages wrote something else."""
    return replace(
        RECORDED,
        outputs=RECORDED.outputs | dict.fromkeys(stages, "other"),
        figures=RECORDED.figures | {"mae": mae},
        **others,
    )


def test_the_same_file_and_figures_are_exact_and_a_figure_that_is_no_number_is_the_same_as_itself():
    found = compare("mae", RECORDED, rebuilt())
    assert found == compare("mae", RECORDED, RECORDED)
    assert (found.verdict, found.stage, found.reasons, found.same_kind) == ("EXACT", None, (), True)


@pytest.mark.parametrize("mae", [1.5, 2.1, 2.5])
def test_another_file_with_a_figure_within_the_interval_is_equivalent(mae):
    found = compare("mae", RECORDED, rebuilt("train", "evaluate", sha256="other", mae=mae))
    assert (found.verdict, found.stage) == ("EQUIVALENT", "train")


@pytest.mark.parametrize("mae", [1.4, 2.6, math.nan, math.inf, -math.inf])
def test_another_file_with_a_figure_outside_of_the_interval_has_diverged(mae):
    assert compare("mae", RECORDED, rebuilt("train", sha256="other", mae=mae)).verdict == "DIVERGED"


def test_a_version_without_an_interval_is_exact_or_diverged():
    alone = replace(RECORDED, figures={"mae": 2.0})
    assert compare("mae", alone, alone).verdict == "EXACT"
    assert compare("mae", alone, replace(alone, sha256="other")).verdict == "DIVERGED"


def test_the_same_file_with_another_figure_is_not_exact():
    found = compare("mae", RECORDED, rebuilt("evaluate", mae=2.000001))
    assert (found.verdict, found.stage) == ("EQUIVALENT", "evaluate")


def test_another_recipe_has_diverged_even_where_its_figure_is_as_good():
    seeded = rebuilt("train", "evaluate", sha256="other", key="other", params={"runtime.seed": "43"})
    found = compare("mae", RECORDED, seeded)
    assert (found.verdict, found.stage) == ("DIVERGED", "train")
    assert found.reasons == (
        "runtime.seed was 42, the commit says 43",
        "runtime.threads was 4, the commit says nothing",
    )


def test_other_test_rows_have_diverged_even_where_the_figure_is_as_good():
    found = compare("mae", RECORDED, rebuilt("prepare", "train", sha256="other", test_hash="other"))
    assert (found.verdict, found.stage) == ("DIVERGED", "prepare")


@pytest.mark.parametrize("number", range(len(STAGES)))
def test_the_first_stage_that_wrote_something_else_is_named(number):
    assert compare("mae", RECORDED, rebuilt(*STAGES[number:])).stage == STAGES[number]


def test_a_stage_that_wrote_nothing_this_time_is_named():
    gone = replace(RECORDED, outputs={stage: stage for stage in STAGES if stage != "validate"})
    assert compare("mae", RECORDED, gone).stage == "validate"


def test_another_lock_another_machine_and_what_is_installed_are_told():
    machine = {"processor": "arm", "device": "cpu", "cores": "2"}
    found = compare("mae", RECORDED, rebuilt(environment="other", key="other", machine=machine), ["so it is"])
    assert not found.same_kind
    assert found.reasons == (
        "requirements/numbers.lock of the commit is not the one that it was trained with",
        "the machine's cores was 4, is 2",
        "the machine's processor was x86_64, is arm",
        "so it is",
    )


def test_another_number_of_cores_is_no_other_kind_of_machine():
    assert compare("mae", RECORDED, rebuilt(machine=RECORDED.machine | {"cores": "2"})).same_kind


def test_a_key_that_nothing_else_explains_means_other_code():
    assert compare("mae", RECORDED, rebuilt(key="other")).reasons == (
        "the code of the commit is not the one that trained it",
    )
    assert compare("mae", RECORDED, rebuilt("prepare", "train", key="other")).reasons == ()


def test_several_machines_are_no_kind_that_gives_the_same_bytes_again():
    for machines, same in (("1", True), ("2", False)):
        params = {**RECORDED.params, "train.machines": machines}
        assert compare("mae", replace(RECORDED, params=params), rebuilt(params=params)).same_kind is same


@pytest.mark.parametrize(
    ("verdict", "same_kind", "fine"),
    [
        ("EXACT", True, True),
        ("EXACT", False, True),
        ("EQUIVALENT", True, False),
        ("EQUIVALENT", False, True),
        ("DIVERGED", False, False),
    ],
)
def test_only_on_another_kind_of_machine_as_good_will_do(verdict, same_kind, fine):
    assert Comparison(verdict, "train", (), same_kind).as_it_should_be is fine
