"""data/NAME/params.yaml: where a data set comes from, how it is checked and how it is split."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from evermodel.core import folders, params, section
from evermodel.core.section import Range, Section
from evermodel.datasets import source
from evermodel.datasets.source import Source

Share = Annotated[float, Field(ge=0, lt=1)]


class Split(Section):
    """How a data set is cut, once, into train, validation and test.

    `predefined` keeps the test rows that the source declares, `order` takes the last rows, `shuffle` the
    last rows of a seeded permutation. `test` and `validation` are shares; validation is taken from what
    is left for training, at random. `time` is `predefined` with the last rows before the test as validation.
    Rows that are equal in all columns of `groups` stay on one side.
    """

    method: Literal["predefined", "order", "shuffle", "time"]
    groups: tuple[str, ...] = ()
    test: Annotated[float, Field(gt=0, lt=1)] | None = None
    validation: Annotated[float, Field(gt=0, lt=1)]
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @model_validator(mode="after")
    def _test_share_belongs_to_the_method(self) -> "Split":
        if (self.test is None) != (self.method in ("predefined", "time")):
            raise ValueError("needs 'test', the share of test rows, for the methods order and shuffle only")
        if self.groups and self.method in ("predefined", "time"):
            raise ValueError("can't have 'groups' with a split that the source declares; remove it")
        return self


class Expect(Section):
    """What the raw data must look like; the Great Expectations suites are built from it.

    rejected: the share of files that may be unusable (damaged, of another size, without label).
    """

    min_rows: Annotated[int, Field(ge=1)]
    rejected: Share = 0.0
    shape: tuple[int, int] | None = None
    ranges: Mapping[str, Range] = {}


class Dataset(Section):
    """One data set.

    target: the column to predict. targets: several numbers to predict instead, each clipped to its range.
    window: of a series, the steps that are known when the next one is predicted. novel: classes that only
    the test rows have, as what is to be found out.
    """

    name: str
    source: Source
    target: str = "label"
    targets: Mapping[str, Range] = {}
    window: Annotated[int, Field(ge=2)] | None = None
    classes: tuple[str, ...] = ()
    novel: tuple[str, ...] = ()
    split: Split
    duplicates: Share = 0.0
    expect: Expect

    def is_quantity(self, stored_as_floats: bool) -> bool:
        """Whether the target is a number to predict rather than a class: it has a range, or is a float."""
        return not self.classes and (self.target in self.expect.ranges or stored_as_floats)


def load(name: str, profile: str) -> Dataset:
    """Read and check data/<name>/params.yaml; EvermodelError that names the wrong key, or the data sets."""
    folder = folders.dataset(name)
    file = str(folder / params.FILE)
    found = section.checked(Dataset, params.of_folder(folder, profile), file)
    source.require_sense(file, found.source)
    return found
