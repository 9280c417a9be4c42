from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evermodel.core import rows
from evermodel.core.columns import Column
from evermodel.core.data import Prepared, Split
from evermodel.core.errors import EvermodelError
from evermodel.datasets.dataset import Split as Rule
from evermodel.searching.folds import folds
from tests.specs import make_spec

SHUFFLED = Rule(method="shuffle", test=0.2, validation=0.1)
IN_TIME = Rule(method="time", validation=0.25, test=0.2)


def prepared(train, validation, spec=None, **columns):
    """Rows that are known by their numbers, the first `train` of which are training rows."""
    number = np.arange(train + validation, dtype=np.float64)
    known = {"x": number[:, None], "y": number, **columns}
    splits = {}
    for name, part in {"train": slice(train), "validation": slice(train, None)}.items():
        splits[name] = Split(**{key: values[part] for key, values in known.items()})
    return Prepared(spec or make_spec(), splits, {})


def numbers(fold):
    return {name: split.x[:, 0].astype(int).tolist() for name, split in fold.splits.items()}


def test_every_row_that_may_be_learned_from_is_judged_once_and_never_learned_from_there():
    judged = []
    for fold in folds(prepared(40, 7), SHUFFLED, 5, 3):
        found = numbers(fold)
        assert sorted(row for part in found.values() for row in part) == list(range(47))
        judged += found["test"]
    assert sorted(judged) == list(range(47))


def test_of_the_other_rows_the_share_of_validation_is_watched():
    for fold in folds(prepared(90, 10), replace_validation(0.2), 5, 0):
        assert [len(fold.splits[name]) for name in ("train", "validation", "test")] == [64, 16, 20]


def replace_validation(share):
    return SHUFFLED.model_copy(update={"validation": share})


def test_folds_are_the_same_again_and_others_of_another_seed():
    first, again, other = (
        [numbers(fold) for fold in folds(prepared(40, 7), SHUFFLED, 3, seed)] for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_rows_of_a_group_stay_together_also_those_that_are_watched():
    groups = np.arange(60) % 12
    rule = Rule(method="shuffle", test=0.2, validation=0.2, groups=("who",))
    judged = []
    for fold in folds(prepared(50, 10, group=groups), rule, 4, 0):
        of = {name: set(split.group.tolist()) for name, split in fold.splits.items()}
        assert sum(map(len, of.values())) == len(set.union(*of.values())) == 12
        judged += sorted(of["test"])
    assert sorted(judged) == list(range(12))


def test_each_class_keeps_its_share():
    y = np.arange(100) % 10 == 0
    rule = Rule(method="shuffle", test=0.2, validation=0.2, stratify=True)
    for fold in folds(prepared(80, 20, y=y.astype(np.int64)), rule, 5, 0):
        assert [int(fold.splits[name].y.sum()) for name in ("train", "validation", "test")] == [6, 2, 2]


def in_order(fold, time):
    """Whether what is judged comes after what is watched, and that after what is learned from."""
    when = {name: time[split.y.astype(int)] for name, split in fold.splits.items()}
    return when["train"].max() < when["validation"].min() <= when["validation"].max() < when["test"].min()


def test_of_a_series_what_comes_later_is_judged():
    made = list(folds(prepared(40, 8, make_spec("series")), IN_TIME, 5, 0))
    assert all(in_order(fold, np.arange(48)) for fold in made)
    assert [row for fold in made for row in numbers(fold)["test"]] == list(range(8, 48))
    # A quarter of what was before.
    assert [len(fold.splits["validation"]) for fold in made] == [2, 4, 6, 8, 10]


def test_of_several_steps_at_once_a_block_is_left_out_between_two_parts():
    blocks = np.concatenate([np.arange(36) // 3, np.arange(9) // 3])  # counted anew in each split
    spec = make_spec("series", horizon=3)
    time = np.arange(45) // 3
    for fold in folds(prepared(36, 9, spec, group=blocks), IN_TIME, 3, 0):
        parts = {name: time[split.y.astype(int)] for name, split in fold.splits.items()}
        assert parts["validation"].min() - parts["train"].max() == 2
        assert parts["test"].min() - parts["validation"].max() == 2
        assert fold.splits["test"].group.tolist() == parts["test"].tolist()


def test_a_table_is_judged_in_order_of_its_column_of_time_however_its_rows_stand():
    rng = np.random.default_rng(0)
    year = rng.permutation(np.arange(60) // 2).astype(np.float64)
    made = prepared(50, 10, make_spec(columns=[{"name": "year"}], input_shape=(1,)))
    columns = (Column(name="year"),)
    for name, part in {"train": slice(50), "validation": slice(50, None)}.items():
        x = rows.of(pd.DataFrame({"year": year[part]}), columns)
        made.splits[name] = replace(made.splits[name], x=x)
    rule = Rule(method="time", validation=0.25, test=0.2, time="year")
    some = list(folds(made, rule, 4, 0))
    assert all(in_order(fold, year) for fold in some)
    assert len(some) == 4


def test_a_table_without_its_column_of_time_is_refused_by_name():
    rule = Rule(method="time", validation=0.25, test=0.2, time="year")
    with pytest.raises(EvermodelError, match=r"data/made/params\.yaml keep the column year"):
        list(folds(prepared(50, 10), rule, 4, 0))


@pytest.mark.parametrize(
    ("rule", "count", "columns"),
    [
        (SHUFFLED, 48, {}),
        (Rule(method="shuffle", test=0.2, validation=0.2, groups=("who",)), 4, {"group": np.arange(47) % 3}),
        (IN_TIME, 47, {}),
        (IN_TIME, 46, {}),  # one row before the first that is judged
    ],
)
def test_more_folds_than_the_rows_give_are_refused_in_one_sentence(rule, count, columns):
    spec = make_spec("series" if rule.method == "time" else "table")
    with pytest.raises(EvermodelError, match=f"data set made can't be cut into {count} folds.*ask for fewer"):
        list(folds(prepared(40, 7, spec, **columns), rule, count, 0))
