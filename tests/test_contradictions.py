"""What a params.yaml says against itself."""

import pytest

from evermodel import contradictions
from evermodel.datasets.dataset import Dataset
from tests.settings import DATASET, refusal


def dataset(reader="table", **changes):
    values = DATASET | {"target": "price", "expect": {"min_rows": 1}} | changes
    options = {"columns": ["price", "area", "sold", "colour", "weight"]}
    edition = DATASET["source"]["editions"][0] | {"options": options}
    return Dataset(**values | {"source": DATASET["source"] | {"reader": reader, "editions": [edition]}})


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


TABLE, IMAGES, SERIES, TEXT = "table", "image_archive", "series", "texts"
TIME = {"method": "time", "time": "sold", "test": 0.2, "validation": 0.1}
GROUPED = {"method": "shuffle", "groups": ["area"], "group_features": True, "test": 0.2, "validation": 0.1}


@pytest.mark.parametrize(
    ("key", "changes", "readers"),
    [
        ("window", {"window": 5}, {SERIES}),
        ("horizon", {"horizon": 2}, {SERIES}),
        ("season", {"season": 7}, {SERIES}),
        ("step", {"step": "rows"}, {SERIES}),
        ("weight", {"weight": "weight"}, {TABLE}),
        ("columns", {"columns": {"area": {"kind": "text"}}}, {TABLE}),
        ("drop", {"drop": ["area"]}, {TABLE, SERIES}),
        ("gaps", {"gaps": "fill"}, {TABLE, SERIES}),
        ("gaps", {"gaps": "forward"}, {SERIES}),
        ("split.method", {"split": hashed()}, {TABLE}),
        ("split.key", {"split": hashed("area")}, {TABLE}),
        ("split.time", {"split": TIME}, {TABLE}),
        ("split.group_features", {"split": GROUPED}, {TABLE}),
        ("expect.shape", {"expect": {"min_rows": 1, "shape": [8, 8]}}, {IMAGES}),
        ("expect.categories", {"expect": {"min_rows": 1, "categories": {"area": ["1"]}}}, {TABLE}),
        ("expect.tells_target", {"expect": {"min_rows": 1, "tells_target": ["area"]}}, {TABLE}),
        ("expect.gaps", {"expect": {"min_rows": 1, "gaps": {"area": 0.1}}}, {TABLE, SERIES}),
    ],
)
def test_what_is_for_another_kind_of_data_is_refused_and_named(key, changes, readers):
    for reader in (TABLE, IMAGES, SERIES, TEXT):
        found = dataset(reader, **changes)
        if reader in readers:
            contradictions.require_none("params.yaml", found)
        else:
            sentence = refusal(contradictions.require_none, "params.yaml", found)
            assert sentence.startswith(f"params.yaml: {key} is "), sentence


def test_every_key_that_is_for_some_kinds_of_data_exists():
    for key in contradictions.KINDS:
        *above, last = key.split(".")
        section = Dataset.model_fields[above[0]].annotation if above else Dataset
        assert last in section.model_fields, key
