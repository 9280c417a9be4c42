"""data/NAME/params.yaml: where a data set comes from, how it is checked and how it is split."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from evermodel.core import folders, params, section
from evermodel.core.columns import Gaps, Kind
from evermodel.core.section import Range, Section
from evermodel.datasets import source
from evermodel.datasets.source import Source

if TYPE_CHECKING:
    import pandas as pd  # of no use to those who only check the rules

Share = Annotated[float, Field(ge=0, lt=1)]


class Split(Section):
    """How a data set is cut, once, into train, validation and test.

    `predefined` keeps the test rows that the source declares, `order` takes the last rows, `shuffle` the
    last rows of a seeded permutation. `test` and `validation` are shares; validation is taken from what
    is left for training, at random. `time` takes as test the last rows, those from the date `test_from` on,
    or those that the source declares, and as validation the last rows before them; of a table, the rows with
    the latest time in the column `time`. `hash` takes a row by the md5 of seed and `key` (all columns if
    none), so that its split depends on nothing but itself, however many rows there are and in whatever
    order. stratify: whether each split gets its share of every class.
    groups: rows that are equal in all these columns stay on one side; the columns are no features of a
    table unless group_features says so.
    """

    method: Literal["predefined", "order", "shuffle", "time", "hash"]
    groups: tuple[str, ...] = ()
    group_features: bool = False
    key: tuple[str, ...] = ()
    time: str | None = None
    stratify: bool = False
    test: Annotated[float, Field(gt=0, lt=1)] | None = None
    test_from: datetime | None = None
    validation: Annotated[float, Field(gt=0, lt=1)]
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @model_validator(mode="after")
    def _go_together(self) -> "Split":
        if (self.test is None) != (self.method == "predefined") and self.method != "time":
            raise ValueError("needs 'test', the share of test rows, unless the source declares them")
        if self.test_from and (self.method != "time" or self.test):
            raise ValueError("has 'test_from', which goes with 'method: time' and without 'test'; remove one")
        if self.groups and self.method in ("predefined", "time", "hash"):
            raise ValueError("can't have 'groups' with a split by source, time or key; remove it")
        if self.group_features and not self.groups:
            raise ValueError("has 'group_features' without 'groups'; remove it")
        if self.key and self.method != "hash":
            raise ValueError("has 'key' without 'method: hash'; remove it")
        if self.time and self.method != "time":
            raise ValueError("has 'time' without 'method: time'; remove it")
        if self.stratify and (self.groups or self.method not in ("predefined", "shuffle")):
            raise ValueError("can't 'stratify' groups, or rows in order; remove one")
        return self


class Expect(Section):
    """What the raw data must look like; the Great Expectations suites are built from it.

    rejected: the share of files that may be unusable (damaged, of another size, without label). tells_target:
    columns of a table that may tell the target by themselves, because they are known when it is asked for.
    categories: the values that a column may have. gaps: the share of empty fields that it may have.
    """

    min_rows: Annotated[int, Field(ge=1)]
    rejected: Share = 0.0
    shape: tuple[int, int] | None = None
    ranges: Mapping[str, Range] = {}
    tells_target: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = {}
    gaps: Mapping[str, Share] = {}


class Declared(Section):
    """What a column of a table is, where it is not what its training rows show (see core/columns.py)."""

    kind: Kind | None = None
    gaps: Gaps | None = None
    format: str = ""


class Dataset(Section):
    """One data set.

    target: the column to predict; one with a range in `expect` is a number, one with `classes` is a class,
    and any other is what the task takes it for. targets: several numbers to predict instead, each clipped to
    its range in what is learned from. classes: the names of the labels, which are these or their numbers
    from 0. drop: columns of a table that are no features, such as identifiers. columns: what they are,
    if not what they look like. gaps: what an empty field means in columns whose training rows have none.
    weight: the column that tells how much a row counts in training. window: of a series, the steps
    that are known when the next one is predicted. novel: classes that only the test rows have, as what is
    to be found out. Of a series, horizon: the steps that are predicted. season: the steps after
    which it repeats itself. step: whether rows come at equal distances of time, so that one that is missing
    is a gap, or each is a step whenever it comes, as of trading days; and gaps: whether a step or a value
    that is missing is refused, as the one before it, or between those on either side. duplicates: the share
    of test rows that may also be training rows, where that is limited. engine: what a table is validated and
    prepared by: pandas, piece by piece in one process, or Spark, on a cluster.
    """

    name: str
    source: Source
    target: str = "label"
    targets: Mapping[str, Range] = {}
    drop: tuple[str, ...] = ()
    columns: Mapping[str, Declared] = {}
    gaps: Literal["refuse", "fill", "forward", "interpolate"] = "refuse"
    weight: str | None = None
    window: Annotated[int, Field(ge=2)] | None = None
    horizon: Annotated[int, Field(ge=1)] = 1
    season: Annotated[int, Field(ge=2)] | None = None
    step: Literal["time", "rows"] = "time"
    classes: tuple[str, ...] = ()
    novel: tuple[str, ...] = ()
    split: Split
    duplicates: Share | None = None
    engine: Literal["pandas", "spark"] = "pandas"
    expect: Expect

    @property
    def is_number(self) -> bool:
        """Whether the target is declared to be a number."""
        return not self.classes and self.target in self.expect.ranges

    @property
    def named(self) -> dict[str, tuple[str, ...]]:
        """The columns that each key names."""
        rule, expect = self.split, self.expect
        return {
            "target": () if self.targets else (self.target,),
            "targets": tuple(self.targets),
            "drop": self.drop,
            "columns": tuple(self.columns),
            "weight": (self.weight,) if self.weight else (),
            "split.groups": rule.groups,
            "split.key": rule.key,
            "split.time": (rule.time,) if rule.time else (),
            "expect.ranges": tuple(expect.ranges),
            "expect.categories": tuple(expect.categories),
            "expect.gaps": tuple(expect.gaps),
            "expect.tells_target": expect.tells_target,
        }

    @model_validator(mode="after")
    def _names_go_together(self) -> "Dataset":
        if self.classes and self.target in self.expect.ranges:
            raise ValueError(f"has classes, and a range of {self.target} in 'expect'; remove one")
        if unknown := set(self.novel) - set(self.classes):
            raise ValueError(f"has {min(unknown)!r} in 'novel', which 'classes' does not name; add it there")
        return self

    @model_validator(mode="after")
    def _is_for_spark(self) -> "Dataset":
        if self.engine == "spark" and self.source.reader != "table":
            raise ValueError(
                f"has 'engine: spark', which reads tables, but source.reader is {self.source.reader}; "
                "remove engine, or use reader table"
            )
        if self.engine == "spark" and self.split.method != "hash":
            raise ValueError(
                "has 'engine: spark', whose workers tell the split of a row by itself; set split.method to "
                "hash, or remove engine"
            )
        return self

    def features(self, table: "pd.DataFrame") -> list[str]:
        """Those of a table's columns that are asked for an answer."""
        grouping = () if self.split.group_features else (*self.split.groups, *self.split.key)
        declared = ("split",) if self.split.test is None else ()
        others = {self.target, *self.targets, self.weight, *declared, *self.drop, *grouping}
        return [column for column in map(str, table) if column not in others]

    def labels(self, target: "pd.Series") -> "pd.Series":
        """The labels of a column as text, as the source has them; numbers of `classes` by their names."""
        from evermodel.core import fields

        texts = fields.texts(target).where(target.notna()).astype("str")
        if not self.classes:
            return texts
        numbers = {str(number): name for number, name in enumerate(self.classes)}
        return texts if set(texts) & set(self.classes) else texts.map(lambda text: numbers.get(text, text))


def load(name: str, profile: str) -> Dataset:
    """Read and check data/<name>/params.yaml; EvermodelError that names the wrong key, or the data sets."""
    folder = folders.dataset(name)
    file = str(folder / params.FILE)
    found = section.checked(Dataset, params.of_folder(folder, profile), file)
    source.require_sense(file, found.source)
    return found
