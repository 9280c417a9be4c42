"""What a params.yaml says against itself."""

import pytest

from evermodel import contradictions
from evermodel.core.errors import EvermodelError
from evermodel.datasets.dataset import Dataset
from tests.settings import DATASET, refusal
from tests.specs import make_dataset


def dataset(**changes):
    values = DATASET | {"target": "price", "expect": {"min_rows": 1}} | changes
    options = {"columns": ["price", "area", "sold", "colour", "weight"]}
    edition = DATASET["source"]["editions"][0] | {"options": options}
    return Dataset(**values | {"source": DATASET["source"] | {"editions": [edition]}})


def hashed(*key):
    return {"method": "hash", "test": 0.2, "validation": 0.1, "key": key}


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"drop": ["area", "area"]}, ("drop", "area", "twice")),
        ({"drop": ["price"]}, ("drop", "price", "target")),
        ({"weight": "area", "drop": ["area"]}, ("drop", "area", "weight")),
        ({"columns": {"area": {"kind": "text"}}, "drop": ["area"]}, ("columns", "area", "drop")),
        ({"columns": {"price": {"kind": "number"}}}, ("columns", "price", "target")),
        ({"columns": {"area": {"format": "%d.%m.%Y"}}}, ("columns.area", "kind: time")),
        ({"columns": {"area": {"kind": "whole", "gaps": "category"}}}, ("columns.area.gaps", "whole")),
        (
            {"columns": {"area": {"kind": "text"}}, "expect": {"min_rows": 1, "ranges": {"area": [0, 1]}}},
            ("expect.ranges", "area", "text"),
        ),
        (
            {
                "columns": {"area": {"kind": "number"}},
                "expect": {"min_rows": 1, "categories": {"area": ["1"]}},
            },
            ("expect.categories", "area", "number"),
        ),
        (
            {"columns": {"area": {"gaps": "refuse"}}, "expect": {"min_rows": 1, "gaps": {"area": 0.1}}},
            ("expect.gaps", "columns.area.gaps"),
        ),
        (
            {"expect": {"min_rows": 1, "ranges": {"area": [0, 1]}, "categories": {"area": ["1"]}}},
            ("area", "ranges", "categories"),
        ),
        ({"weight": "wieght"}, ("weight", "wieght", "colour")),
        ({"split": hashed("name")}, ("split.key", "name", "colour")),
        ({"expect": {"min_rows": 1, "gaps": {"colours": 0.1}}}, ("expect.gaps", "colours")),
        ({"columns": {"color": {"kind": "text"}}}, ("columns", "color", "colour")),
    ],
)
def test_what_can_not_both_be_is_named_with_its_keys(changes, names):
    sentence = refusal(contradictions.require_none, "data/houses/params.yaml", dataset(**changes))
    assert sentence.startswith("data/houses/params.yaml: ")
    assert all(name in sentence for name in names), sentence


def test_what_goes_together_is_allowed():
    fine = dataset(
        drop=["sold"],
        columns={"area": {"kind": "whole", "gaps": "fill"}, "colour": {"gaps": "category"}},
        weight="weight",
        split=hashed("colour"),
        expect={"min_rows": 1, "ranges": {"price": [0, 9]}, "categories": {"colour": ["red"]}},
    )
    contradictions.require_none("params.yaml", fine)


def test_where_no_columns_are_named_any_may_be_there():
    found = dataset(drop=["anything"])
    edition = found.source.editions[0].model_copy(update={"options": {}})
    source = found.source.model_copy(update={"editions": (edition,)})
    contradictions.require_none("params.yaml", found.model_copy(update={"source": source}))


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
        contradictions.require_predictable("experiments/mine/params.yaml", task, make_dataset(**rules))
    assert str(error.value).startswith(f"experiments/mine/params.yaml: task {task} ")
    assert told in str(error.value)


@pytest.mark.parametrize("task", ["regression", "classification", "binary"])
def test_a_column_of_which_nothing_is_declared_goes_with_either_kind_of_task(task):
    contradictions.require_predictable("experiments/mine/params.yaml", task, make_dataset())
