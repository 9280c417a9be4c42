"""From the raw rows of a table to its splits, in pieces: no more than one is ever in memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
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
from evermodel.preparing import arrays, inference, labels, lot, split
from evermodel.preparing.inference import Seen
from evermodel.preparing.moments import Moments
from evermodel.preparing.split import Facts
from evermodel.preparing.statistics import Statistics

SAMPLE = 100_000  # rows on which duplicates are counted, if there are more
TEST = SPLITS.index("test")
Writer = arrays.Writer | parts.Writer


@dataclass(frozen=True)
class Table:
    """A raw table with its rules, or some rows of one. start: the number of the first."""

    name: str
    raw: Raw
    dataset: Dataset
    start: int = 0

    @property
    def numbers(self) -> dict[str, str]:
        """How numbers are written where they are text."""
        return {"decimal": self.raw.layout.decimal, "thousands": self.raw.layout.thousands}

    def pieces(self) -> Iterator[pd.DataFrame]:
        """The raw rows, from the first one on."""
        assert self.raw.pieces is not None, "a reader of tables gives pieces"
        return self.raw.pieces()

    def of(self, array: Array, piece: pd.DataFrame) -> Array:
        """What an array of all its rows says of those of a piece."""
        start = int(piece.index[0]) - self.start if len(piece) else 0
        return array[start : start + len(piece)]


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
    part = split.parts(name, dataset.split, surveyed.facts)
    surveyed = replace(surveyed, facts=Facts(len(part), group=surveyed.facts.group))  # the rest is large
    columns = kinds(dataset, surveyed.features, shown(table, surveyed.features, part))
    writing = Writing(table, surveyed, columns)
    writers: list[Writer] = [
        parts.Writer(folder / name / data.STORED, columns, writing.answers)
        if len(part) > parquet_above
        else arrays.Writer(folder / name, columns, writing.answers, size)
        for name, size in zip(SPLITS, split.sizes(part), strict=True)
    ]
    counted, identity = writing.counted(part), Identity()
    for hashes in writing.write(part, writers, counted):
        identity.add_hashes(hashes)
    for writer in writers:
        writer.close()
    return writing.spec(source, part, counted, identity)


def survey(table: Table) -> Survey:
    """Look at all rows once."""
    dataset, rule = table.dataset, table.dataset.split
    kept: dict[str, list[Array]] = {name: [] for name in ("declared", "y", "group", "time", "part")}
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
            kept["part"].append(split.by_key(rule, piece[list(rule.key or piece.columns)]))
    facts = {name: np.concatenate(arrays) for name, arrays in kept.items() if arrays and name != "group"}
    if "y" in facts:  # numbers in the order of the labels, which scikit-learn would sort
        facts["y"] = np.argsort(np.argsort(np.array(list(known), object)))[facts["y"]]
    if rule.groups:
        facts["group"] = split.numbered(kept["group"])
    return Survey(Facts(count, **facts), features, tuple(known), is_number)


def shown(table: Table, features: Sequence[str], part: Array) -> dict[str, Seen]:
    """What the training rows show of their kinds. part: the place in SPLITS of each row of the table."""
    return inference.infer(
        (_train(table, piece[list(features)], part) for piece in table.pieces()), **table.numbers
    )


def kinds(dataset: Dataset, features: Sequence[str], seen: Mapping[str, Seen]) -> tuple[Column, ...]:
    """The columns with their kinds and what a gap means, as declared or as the training rows show."""
    elsewhere: Gaps = "refuse" if dataset.gaps == "refuse" else "fill"
    found = []
    for name in features:
        declared, one = dataset.columns.get(name, Declared()), seen[name]
        kind = declared.kind or one.kind
        found.append(
            Column(
                name=name,
                kind=kind,
                gaps=gaps_of(kind, declared.gaps, one.gaps, elsewhere),
                format=declared.format or (one.format if kind == "time" else ""),
                missing=one.gaps / max(one.rows, 1),
            )
        )
    return tuple(found)


@dataclass
class Counted:
    """What is counted of the rows that are written.

    statistics: of columns. moments: of targets. class_rows: the rows of each split and class. classes: where
    rows are in groups the number of each row's class, in order.
    """

    statistics: Statistics
    moments: Moments
    duplicates: "Duplicates"
    class_rows: Array
    classes: list[Array]

    def merge(self, other: "Counted") -> None:
        """Count other rows too, which come after these."""
        self.statistics.merge(other.statistics)
        self.moments.merge(other.moments)
        self.duplicates.merge(other.duplicates)
        self.class_rows = self.class_rows + other.class_rows
        self.classes += other.classes


@dataclass(frozen=True)
class Writing:
    """The last way through the rows of a table, on which they are written, and training rows tell what else
    they can.
    """

    table: Table
    survey: Survey
    columns: tuple[Column, ...]

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The labels, if they can be classes."""
        return labels.classes(self.table.name, self.table.dataset, self.survey.labels)

    @property
    def answers(self) -> dict[str, tuple[int, ...]]:
        """The arrays beside the examples, each with the shape of a row."""
        targets, grouped = self.table.dataset.targets, self.survey.facts.group is not None
        wanted = {
            "class": () if self.classes else None,
            "number": () if self._is_number else None,
            "y": (len(targets),) if targets else None,
            "group": () if grouped else None,
            "weight": () if self.table.dataset.weight else None,
        }
        return {name: shape for name, shape in wanted.items() if shape is not None}

    def counted(self, part: Array) -> Counted:
        """Nothing yet. part: the place in SPLITS of each row of the whole table."""
        return Counted(
            Statistics(self.columns, int((part == 0).sum())),
            Moments(max(len(self.table.dataset.targets), 1)),
            Duplicates(min(1.0, SAMPLE / len(part))),
            np.zeros((len(SPLITS), len(self.classes)), np.int64),
            [],
        )

    def write(self, part: Array, writers: Sequence[Writer | None], counted: Counted) -> Iterator[list[bytes]]:
        """Write the rows, and yield by what those of the test are known (data.target_hashes), piece by piece.

        part: the place in SPLITS of each row. writers: of each split, None if it gets no row.
        """
        for piece in self.table.pieces():
            places = self.table.of(part, piece)
            frame, answers, texts = self._read(piece, places, counted)
            x = rows.of(frame, self.columns)
            counted.duplicates.add(split.hashes(frame), places)
            counted.statistics.add(frame[places == 0], lot.of(piece.index)[places == 0])
            for number, writer in enumerate(writers):
                here = np.flatnonzero(places == number)
                if writer:
                    writer.write(x[here], {name: values[here] for name, values in answers.items()})
                if number == TEST:
                    yield data.target_hashes(x[here], texts(here))

    @property
    def _is_number(self) -> bool:
        dataset = self.table.dataset
        return self.survey.is_number and not dataset.classes and not dataset.targets

    def _read(
        self, piece: pd.DataFrame, part: Array, counted: Counted
    ) -> tuple[pd.DataFrame, dict[str, Array], Callable[[Array], Array]]:
        """Of some rows the typed columns, the arrays beside them, and what identifies their targets."""
        table, dataset = self.table, self.table.dataset
        frame, answers = _typed(table, piece, self.columns), dict[str, Array]()
        if dataset.targets:
            wanted = [Column(name=name, kind="number") for name in dataset.targets]
            answers["y"] = labels.clipped(_typed(table, piece, wanted).to_numpy(np.float64), part, dataset)
            counted.moments.add(answers["y"][part == 0])
        elif self.classes:
            codes, texts = _labels(table, piece[dataset.target])
            places = {label: number for number, label in enumerate(self.classes)}
            answers["class"] = np.array([places[text] for text in texts], np.int64)[codes]
            np.add.at(counted.class_rows, (part, answers["class"]), 1)
            if self.survey.facts.group is not None:
                counted.classes.append(answers["class"].astype(np.int16))
        if self._is_number and (found := _target_numbers(table, piece[dataset.target])) is not None:
            answers["number"] = found
            counted.moments.add(answers["number"][part == 0][:, None])
        if (group := self.survey.facts.group) is not None:
            answers["group"] = table.of(group, piece)
        if dataset.weight:
            answers["weight"] = _weights(table, piece)

        def identified(chosen: Array) -> Array:
            if dataset.targets:
                return answers["y"][chosen]
            return dataset.labels(piece[dataset.target].iloc[chosen]).to_numpy(dtype=object)

        return frame, answers, identified

    def spec(self, source: Provenance, part: Array, counted: Counted, identity: Identity) -> Spec:
        """What is known once all rows are written."""
        dataset, group = self.table.dataset, self.survey.facts.group
        counts = dict(zip(SPLITS, split.sizes(part), strict=True))
        # Where each class is a group, such as a person, it is on one side, and nobody can ask for it on both.
        spread = bool(self.classes) and dataset.target not in dataset.split.groups
        mixed = any(one.kind in fields.TEXTS for one in self.columns)
        moments = counted.moments
        return Spec(
            dataset=self.table.name,
            edition=source.edition,
            synthetic=source.synthetic,
            kind="table",
            input_shape=(len(self.columns),),
            input_dtype="object" if mixed else "float64",
            columns=counted.statistics.told(),
            target=dataset.target,
            targets=tuple(dataset.targets),
            classes=self.classes,
            novel=dataset.novel,
            class_rows=self._class_rows(part, counted) if spread else {},
            rows=counts,
            groups=(
                {}
                if group is None
                else {name: len(np.unique(group[part == number])) for number, name in enumerate(SPLITS)}
            ),
            **(labels.scale(moments.mean, moments.variance) if self.answers.keys() & {"number", "y"} else {}),
            duplicates=counted.duplicates.count(self.table.name, dataset, counts["test"]),
            test_hash=identity.hash,
            test_sketch=identity.sketch,
            layout=self.table.raw.layout,
        )

    def _class_rows(self, part: Array, counted: Counted) -> dict[str, tuple[int, ...]]:
        if (group := self.survey.facts.group) is None:
            return {name: tuple(rows) for name, rows in zip(SPLITS, counted.class_rows.tolist(), strict=True)}
        return labels.class_rows(part, np.concatenate(counted.classes), group, len(self.classes))


class Duplicates:
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

    def merge(self, other: "Duplicates") -> None:
        """Take notice of the rows that another one has seen."""
        self.tested = np.concatenate([self.tested, other.tested])
        self.learned = np.union1d(self.learned, other.learned)

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


def _train(table: Table, piece: pd.DataFrame, part: Array) -> pd.DataFrame:
    rows_of_train: pd.DataFrame = piece[table.of(part, piece) == 0]
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
