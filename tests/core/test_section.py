import math
from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from evermodel.core import section
from evermodel.core.section import NAME, Range, Section, choose
from tests.settings import refusal


class Limit(Section):
    metric: Literal["mae", "rmse"]
    margin: Annotated[float, Field(ge=0)] = 0.0


class Whole(Section):
    name: Annotated[str, Field(pattern=NAME)]
    limit: Limit
    maybe: Limit | None = None
    by_name: Mapping[str, Limit] = {}
    several: tuple[Limit, ...] = ()
    names: tuple[str, ...] = ()
    range: Range = (0, 1)

    @model_validator(mode="after")
    def _no_limit_twice(self) -> "Whole":
        if self.limit == self.maybe:
            raise ValueError("has one limit twice; remove 'maybe'")
        return self


GOOD = {"name": "mine", "limit": {"metric": "mae"}}


def refused(changes):
    """The sentence about those values in the file f.yaml."""
    return refusal(section.checked, Whole, GOOD | changes, "f.yaml")


def test_what_is_right_comes_typed_and_can_not_be_changed():
    found = section.checked(Whole, GOOD, "f.yaml")
    assert found == Whole(name="mine", limit=Limit(metric="mae"))
    with pytest.raises(ValidationError, match="frozen"):
        found.limit.margin = 1.0


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"limit": {"metric": "mae", "margn": 1}}, "limit.margn"),
        ({"maybe": {"metric": "mae", "margn": 1}}, "maybe.margn"),
        ({"by_name": {"a": {"metric": "mae", "margn": 1}}}, "by_name.a.margn"),
        ({"several": [{"metric": "mae"}, {"metric": "mae", "margn": 1}]}, "several.1.margn"),
    ],
)
def test_an_unknown_key_is_named_with_its_full_path_and_the_choices(changes, path):
    assert refused(changes) == f"f.yaml: {path} is not a known key; the choices are margin, metric"


def test_an_unknown_key_at_the_top_is_told_with_those_of_the_top():
    assert refused({"limits": {}}).endswith(
        "; the choices are by_name, limit, maybe, name, names, range, several"
    )


def test_a_misspelled_key_is_called_unknown_rather_than_missing():
    assert "limit.metrik is not a known key" in refused({"limit": {"metrik": "mae"}})


@pytest.mark.parametrize(
    ("changes", "path", "expected"),
    [
        ({"limit": {}}, "limit.metric", "missing"),
        ({"limit": {"metric": "auc"}}, "limit.metric", "'rmse'"),
        ({"limit": {"metric": "mae", "margin": -1}}, "limit.margin", "greater than or equal to 0"),
        ({"limit": None}, "limit", "empty"),
        ({"name": "../mine"}, "name", "'../mine'"),
        ({"name": "a" * 64}, "name", "match"),
        ({"by_name": {"a": 3}}, "by_name.a", "keys with values"),
        ({"by_name": [3]}, "by_name", "keys with values"),
        ({"several": "mae"}, "several", "list"),
        ({"limit": {"metric": "mae", "margin": "12 MB"}}, "limit.margin", "a number"),
        ({"names": ["yes", True]}, "names.1", "quotes"),
        ({"names": [None]}, "names.0", "quotes"),
        ({"names": ["x" * 999, {}]}, "names.1", "quotes"),
        ({"range": [10, 1]}, "range", "lower"),
        ({"range": [1, math.nan]}, "range.1", "finite"),
        ({"range": [1, math.inf]}, "range.1", "finite"),
        ({"range": 5}, "range", "list"),
        ({1: 2}, "1", "not a known key"),
    ],
)
def test_a_wrong_value_is_refused_with_its_full_path(changes, path, expected):
    sentence = refused(changes)
    assert sentence.startswith(f"f.yaml: {path} is ")
    assert expected in sentence
    assert len(sentence) < 250


def test_the_keys_above_are_part_of_the_path():
    sentence = refusal(section.checked, Limit, {}, "f.yaml", "source.options")
    assert sentence.startswith("f.yaml: source.options.metric is missing")


def test_names_may_look_like_numbers():
    assert section.checked(Whole, GOOD | {"names": [1, "two", 2019]}, "f.yaml").names == ("1", "two", "2019")
    assert list(section.checked(Whole, GOOD | {"by_name": {1: {"metric": "mae"}}}, "f.yaml").by_name) == ["1"]


def test_what_does_not_go_together_is_told_in_the_words_of_the_section():
    assert "has one limit twice; remove 'maybe'" in refused({"maybe": {"metric": "mae"}})


def test_a_choice_that_does_not_exist_is_told_with_those_that_do():
    choose("f.yaml: model", "mlp", ["mlp"])
    assert refusal(choose, "f.yaml: model", "mpl", ["mlp", "cnn"]).startswith("f.yaml: model is 'mpl'")
    assert refusal(choose, "f.yaml: model", "mpl", ["mlp", "cnn"]).endswith("the choices are cnn, mlp")
    assert refusal(choose, "f.yaml: model", "mpl", []).endswith("the choices are none")
