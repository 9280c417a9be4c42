"""From the raw rows of a table to its splits, in pieces: no more than one is ever in memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from evermodel.core import data, fields, parts, rows
from evermodel.core.columns import Column, Gaps, gaps_of
from evermodel.core.data import SPLITS, Array, Identity, Raw, Spec
from evermodel.core.errors import EvermodelError
from evermodel.core.fields import FieldError
from evermodel.datasets.dataset import Dataset, Declared
from evermodel.datasets.source import Provenance
from evermodel.formats import dates
from evermodel.preparing import arrays, inference, labels, split
from evermodel.preparing.moments import Moments
from evermodel.preparing.split import Facts
from evermodel.preparing.statistics import Statistics

SAMPLE = 100_000  # rows on which duplicates are counted, if there are more
TEST = SPLITS.index("test")


@dataclass(frozen=True)
class Table:
    """A raw table with its rules."""

    name: str
    raw: Raw
    dataset: Dataset

    @property
    def numbers(self) -> dict[str, str]:
        """How numbers are written where they are text."""
        return {"decimal": self.raw.layout.decimal, "thousands": self.raw.layout.thousands}

    def pieces(self) -> Iterator[pd.DataFrame]:
        """The raw rows, from the first one on."""
        assert self.raw.pieces is not None, "a reader of tables gives pieces"
        return self.raw.pieces()


@dataclass(frozen=True)
class Survey:
    """What a first look at all rows tells: what the split goes by, the features, and the labels.

    labels: the different ones, MOST_CLASSES or a few more at most; is_number: whether each is a number.
    """

    facts: Facts
    features: tuple[str, ...]
    labels: tuple[str, ...]
    is_number: bool


def prepare(
    name: str, raw: Raw, dataset: Dataset, source: Provenance, folder: Path, parquet_above: float
) -> Spec:
    """Write the splits of a table into `folder` and return what is known of them.

    The rows of a split stand in the source's order, in Parquet if the table has more than `parquet_above`.
    Raises EvermodelError if the target or another column is missing, a field can't be read, a label is none
    of the classes, or more test rows than `duplicates` allows stand in the training rows as well.
    """
    table = Table(name, raw, dataset)
    surveyed = survey(table)
    part = _parts(name, dataset, surveyed.facts)
    surveyed = replace(surveyed, facts=Facts(len(part), group=surveyed.facts.group))  # the rest is large
    columns = kinds(table, surveyed.features, part)
    return _Writing(table, surveyed, columns, part, folder, len(part) > parquet_above).spec(source)


def _parts(name: str, dataset: Dataset, facts: Facts) -> Array:
    """The place in SPLITS of each row, (n,) int8."""
    part = np.empty(facts.rows, np.int8)
    for number, rows_of_one in enumerate(split.split_rows(name, dataset.split, facts).values()):
        part[rows_of_one] = number
    return part


def survey(table: Table) -> Survey:
    """Look at all rows once."""
    dataset, rule = table.dataset, table.dataset.split
    kept: dict[str, list[Array]] = {name: [] for name in ("declared", "y", "group", "time", "place")}
    known: dict[str, int] = {}
    count, is_number = 0, True
    features: tuple[str, ...] = ()
    time: Column | None = None
    for piece in table.pieces():
        features = features or _features(table, piece)
        count += len(piece)
        if not dataset.targets:
            target = piece[dataset.target]
            is_number = is_number and _target_numbers(table, target) is not None
            if rule.stratify or len(known) <= data.MOST_CLASSES:
                codes, texts = _labels(table, target)
                places = np.array([known.setdefault(text, len(known)) for text in texts], np.int32)
                if rule.stratify:
                    kept["y"].append(places[codes])
        if rule.test is None and "split" in piece:
            kept["declared"].append(piece["split"].to_numpy(dtype=object))
        if rule.groups:
            kept["group"].append(split.members(rule, piece))
        if rule.time:
            time = time or _time(table, piece[rule.time])
            kept["time"].append(_typed(table, piece, [time]).to_numpy()[:, 0])
        if rule.method == "hash":
            kept["place"].append(split.places(rule.seed, piece[list(rule.key or piece.columns)]))
    facts = {name: np.concatenate(arrays) for name, arrays in kept.items() if arrays and name != "group"}
    if "y" in facts:  # numbers in the order of the labels, which scikit-learn would sort
        facts["y"] = np.argsort(np.argsort(np.array(list(known), object)))[facts["y"]]
    if rule.groups:
        facts["group"] = split.numbered(kept["group"])
    return Survey(Facts(count, **facts), features, tuple(known), is_number)


def kinds(table: Table, features: Sequence[str], part: Array) -> list[Column]:
    """The columns with their kinds and what a gap means, as declared or as the training rows show."""
    dataset = table.dataset
    seen = inference.infer((_train(piece[list(features)], part) for piece in table.pieces()), **table.numbers)
    elsewhere: Gaps = "refuse" if dataset.gaps == "refuse" else "fill"
    found = []
    for name in features:
        declared, shown = dataset.columns.get(name, Declared()), seen[name]
        kind = declared.kind or shown.kind
        found.append(
            Column(
                name=name,
                kind=kind,
                gaps=gaps_of(kind, declared.gaps, shown.gaps, elsewhere),
                format=declared.format or (shown.format if kind == "time" else ""),
                missing=shown.gaps / max(shown.rows, 1),
            )
        )
    return found


class _Writing:
    """The last way through the rows, on which they are written, and training rows tell what else they can."""

    def __init__(
        self,
        table: Table,
        surveyed: Survey,
        columns: Sequence[Column],
        part: Array,
        folder: Path,
        in_parquet: bool,
    ) -> None:
        self.table, self.dataset, self.columns, self.part = table, table.dataset, columns, part
        self.survey = surveyed
        self.classes = labels.classes(table.name, table.dataset, surveyed.labels)
        self.places = {label: number for number, label in enumerate(self.classes)}
        self.moments = Moments(max(len(table.dataset.targets), 1))
        self.identity = Identity()
        share = min(1.0, SAMPLE / len(part))
        self.duplicates = _Duplicates(share)
        counts = np.bincount(part, minlength=len(SPLITS)).tolist()
        self.rows = dict(zip(SPLITS, counts, strict=True))
        self.shapes = self._shapes()
        self.writers: list[parts.Writer | arrays.Writer] = [
            parts.Writer(folder / name / data.STORED, columns, self.shapes)
            if in_parquet
            else arrays.Writer(folder / name, columns, self.shapes, self.rows[name])
            for name in SPLITS
        ]
        self.statistics = Statistics(columns, self.rows["train"])
        self.class_rows = np.zeros((len(SPLITS), len(self.classes)), np.int64)
        self.of_class = np.zeros(0 if surveyed.facts.group is None else len(part), np.int64)

    def spec(self, source: Provenance) -> Spec:
        """Write all rows and return what is known of them."""
        for piece in self.table.pieces():
            frame, answers, texts = self._read(piece)
            x, part = rows.of(frame, self.columns), _of(self.part, piece)
            self.duplicates.add(split.hashes(frame), part)
            self.statistics.add(frame[part == 0], int(piece.index[0]))
            for number, writer in enumerate(self.writers):
                here = np.flatnonzero(part == number)
                writer.write(x[here], {name: values[here] for name, values in answers.items()})
                if number == TEST:
                    self.identity.add(x[here], texts(here))
        for writer in self.writers:
            writer.close()
        return self._spec(source)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the arrays beside the examples the shape of a row, by their names."""
        wanted: dict[str, tuple[bool, tuple[int, ...]]] = {
            "class": (bool(self.classes), ()),
            "number": (self._is_number, ()),
            "y": (bool(self.dataset.targets), (len(self.dataset.targets),)),
            "group": (self.survey.facts.group is not None, ()),
            "weight": (bool(self.dataset.weight), ()),
        }
        return {name: shape for name, (is_there, shape) in wanted.items() if is_there}

    @property
    def _is_number(self) -> bool:
        return self.survey.is_number and not self.dataset.classes and not self.dataset.targets

    def _read(self, piece: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Array], Callable[[Array], Array]]:
        """Of some rows the typed columns, the arrays beside them, and what identifies their targets."""
        table, dataset, part = self.table, self.dataset, _of(self.part, piece)
        frame, answers = _typed(table, piece, self.columns), dict[str, Array]()
        if dataset.targets:
            wanted = [Column(name=name, kind="number") for name in dataset.targets]
            answers["y"] = labels.clipped(_typed(table, piece, wanted).to_numpy(np.float64), part, dataset)
            self.moments.add(answers["y"][part == 0])
        elif self.classes:
            codes, texts = _labels(table, piece[dataset.target])
            answers["class"] = np.array([self.places[text] for text in texts], np.int64)[codes]
            np.add.at(self.class_rows, (part, answers["class"]), 1)
            if len(self.of_class):
                _of(self.of_class, piece)[:] = answers["class"]
        if self._is_number and (found := _target_numbers(table, piece[dataset.target])) is not None:
            answers["number"] = found
            self.moments.add(answers["number"][part == 0][:, None])
        if (group := self.survey.facts.group) is not None:
            answers["group"] = _of(group, piece)
        if dataset.weight:
            answers["weight"] = _weights(table, piece)

        def identified(chosen: Array) -> Array:
            if dataset.targets:
                return answers["y"][chosen]
            return dataset.labels(piece[dataset.target].iloc[chosen]).to_numpy(dtype=object)

        return frame, answers, identified

    def _spec(self, source: Provenance) -> Spec:
        dataset, group = self.dataset, self.survey.facts.group
        # Where each class is a group, such as a person, it is on one side, and nobody can ask for it on both.
        spread = bool(self.classes) and dataset.target not in dataset.split.groups
        mixed = any(one.kind in fields.TEXTS for one in self.columns)
        return Spec(
            dataset=self.table.name,
            edition=source.edition,
            synthetic=source.synthetic,
            kind="table",
            input_shape=(len(self.columns),),
            input_dtype="object" if mixed else "float64",
            columns=self.statistics.told(),
            target=dataset.target,
            targets=tuple(dataset.targets),
            classes=self.classes,
            novel=dataset.novel,
            class_rows=self._class_rows() if spread else {},
            rows=self.rows,
            groups=(
                {}
                if group is None
                else {name: len(np.unique(group[self.part == number])) for number, name in enumerate(SPLITS)}
            ),
            **(
                labels.scale(self.moments.mean, self.moments.variance)
                if self.shapes.keys() & {"number", "y"}
                else {}
            ),
            duplicates=self.duplicates.count(self.table.name, dataset, self.rows["test"]),
            test_hash=self.identity.hash,
            test_sketch=self.identity.sketch,
            layout=self.table.raw.layout,
        )

    def _class_rows(self) -> dict[str, tuple[int, ...]]:
        if self.survey.facts.group is None:
            return {
                name: tuple(map(int, counts)) for name, counts in zip(SPLITS, self.class_rows, strict=True)
            }
        return labels.class_rows(self.part, self.of_class, self.survey.facts.group, len(self.classes))


class _Duplicates:
    """Test rows that stand among the others as well; of many rows a share is looked at, chosen by hash."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.learned, self.tested = np.empty(0, np.uint64), np.empty(0, np.uint64)

    def add(self, hashes: Array, part: Array) -> None:
        """Take notice of some more rows: their hashes, (n,) uint64, and their places in SPLITS."""
        chosen = hashes <= np.uint64(self.share * (2**64 - 1025))  # the float below 2**64
        tested = part == TEST
        self.tested = np.concatenate([self.tested, hashes[chosen & tested]])
        self.learned = np.union1d(self.learned, hashes[chosen & ~tested])

    def count(self, name: str, dataset: Dataset, test_rows: int) -> int:
        """How many there are, or will be about; EvermodelError if that is more than allowed."""
        found = round(int(np.isin(self.tested, self.learned).sum()) / self.share)
        require_few(name, dataset, found, test_rows)
        return found


def require_few(name: str, dataset: Dataset, found: int, test_rows: int) -> None:
    """Raise EvermodelError if more test rows are training rows than a data set's `duplicates` allows."""
    limit = dataset.duplicates
    if limit is not None and found > limit * test_rows:
        raise EvermodelError(
            f"data set {name}: {found} of {test_rows} test rows are also training rows, more than "
            f"duplicates = {limit:g} in data/{name}/params.yaml allows; remove them, or raise the limit there"
        )


def _features(table: Table, piece: pd.DataFrame) -> tuple[str, ...]:
    """The columns to learn from; EvermodelError if there is none, or one that is named is missing."""
    dataset = table.dataset
    for key, names in dataset.named.items():
        if missing := [name for name in names if name not in piece]:
            raise EvermodelError(
                f"data set {table.name} has no column {missing[0]!r}; set {key} in "
                f"data/{table.name}/params.yaml to one of {', '.join(map(str, piece))}"
            )
    if not (features := dataset.features(piece)):
        raise EvermodelError(
            f"data set {table.name} has no column to learn from beside {dataset.target}; add some, or take "
            f"them out of drop in data/{table.name}/params.yaml"
        )
    return tuple(features)


def _typed(table: Table, piece: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    try:
        return fields.typed(piece, columns, **table.numbers)
    except FieldError as error:
        remedy = f"set columns: {{{error.column}: {{kind: …, gaps: …}}}}, or name it in drop,"
        raise EvermodelError(
            f"data set {table.name}: row {piece.index[error.row] + 1}, column {error.column} {error.wrong}; "
            f"mend the data, or {remedy} in data/{table.name}/params.yaml"
        ) from None


def _of(array: Array, piece: pd.DataFrame) -> Array:
    """What an array of all rows says of those of a piece."""
    start = int(piece.index[0]) if len(piece) else 0
    return array[start : start + len(piece)]


def _train(piece: pd.DataFrame, part: Array) -> pd.DataFrame:
    rows_of_train: pd.DataFrame = piece[_of(part, piece) == 0]
    return rows_of_train


def _labels(table: Table, target: pd.Series) -> tuple[Array, "pd.Series[str]"]:
    """Of each row the number of its label, and the labels as text, in order of appearance."""
    if (empty := target.isna()).any():
        row = target.index[int(empty.to_numpy().argmax())] + 1
        raise EvermodelError(
            f"data set {table.name}: row {row}, column {target.name} is empty, but is the target; "
            "mend it, or leave the row out"
        )
    codes, different = pd.factorize(target)
    return codes, table.dataset.labels(pd.Series(different))


def _target_numbers(table: Table, target: pd.Series) -> Array | None:
    """The target as numbers, (n,) float64; None if it is not one, as a boolean is none."""
    written = target if target.dtype.kind in "iuf" else table.dataset.labels(target)
    return labels.numbers(written, **table.numbers)


def _time(table: Table, values: pd.Series) -> Column:
    """The column that rows are split by, written as declared or as the first rows are."""
    name = str(values.name)
    known = values[~fields.is_gap(values)]
    form = table.dataset.columns.get(name, Declared()).format or (dates.form_of(known) if len(known) else "")
    return Column(name=name, kind="time", format=form)


def _weights(table: Table, piece: pd.DataFrame) -> Array:
    name = str(table.dataset.weight)
    found = _typed(table, piece, [Column(name=name, kind="number")]).to_numpy(np.float64)[:, 0]
    if (found < 0).any():
        row = piece.index[int((found < 0).argmax())] + 1
        raise EvermodelError(
            f"data set {table.name}: row {row}, column {name} is below 0, but tells how much a row counts; "
            f"mend it, or change weight in data/{table.name}/params.yaml"
        )
    return found
