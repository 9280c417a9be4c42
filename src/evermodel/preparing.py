"""From raw examples to the one split and what its training rows tell."""

import re
import textwrap
from collections import Counter

import numpy as np
import pandas as pd

from evermodel.core import data
from evermodel.core.data import Array, Raw, Spec, Split
from evermodel.core.errors import EvermodelError
from evermodel.datasets.dataset import Dataset
from evermodel.datasets.dataset import Split as Rule
from evermodel.datasets.source import Provenance
from evermodel.formats import table_file

# As keras.layers.TextVectorization with standardize="lower_and_strip_punctuation" reads a text; a test
# holds the two together. Keras itself is not asked, because importing it takes longer than counting. Bytes,
# because TensorFlow's capitals and spaces are those of ASCII alone.
PUNCTUATION = re.compile(rb"""[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']""")


def prepare(name: str, raw: Raw, dataset: Dataset, source: Provenance) -> tuple[Spec, dict[str, Split]]:
    """Split the examples and describe them.

    Raises EvermodelError if the target or another column is missing, a label is none of the classes, or more
    test rows than `duplicates` allows stand in the training rows as well.
    """
    x, columns = _inputs(name, raw, dataset)
    y = _targets(name, raw, dataset)
    group = groups(name, dataset.split, raw.manifest)
    rows = split_rows(name, dataset.split, raw, y, group)
    if raw.kind == "series":
        x, y, rows = windows(name, x, y, rows, dataset.window)
    if dataset.targets:
        y = _clipped(y, rows, dataset)
    splits = {
        part: Split(x[index], y[index], None if group is None else group[index])
        for part, index in rows.items()
    }
    train = splits["train"].x
    statistics = raw.kind in ("table", "series")
    classes = _classes(y, dataset)
    # Where each class is a group, such as a person, it is on one side, and nobody can ask for it on both.
    spread = bool(classes) and dataset.target not in dataset.split.groups
    spec = Spec(
        dataset=name,
        edition=source.edition,
        synthetic=source.synthetic,
        kind=raw.kind,
        input_shape=x.shape[1:],
        input_dtype="string" if raw.kind == "text" else str(x.dtype),
        columns=columns,
        target=dataset.target,
        targets=tuple(dataset.targets),
        masks=raw.targets is not None,
        classes=classes,
        novel=dataset.novel,
        class_rows={part: _counts(split, classes) for part, split in splits.items()} if spread else {},
        rows={part: len(split) for part, split in splits.items()},
        groups={part: len(np.unique(s.group)) for part, s in splits.items() if s.group is not None},
        **(_moments(train) if statistics else {}),
        vocabulary=vocabulary(train) if raw.kind == "text" else (),
        **_scale(y, rows["train"], dataset),
        duplicates=_duplicates(name, splits, dataset.duplicates),
        test_hash=data.split_hash(splits["test"]),
        test_sketch=data.sketch(splits["test"]),
        layout=raw.layout,
    )
    return spec, splits


def split_rows(name: str, rule: Rule, raw: Raw, y: Array, group: Array | None) -> dict[str, Array]:
    """The row numbers of train, validation and test; group: as `groups` tells.

    RandomState(seed).shuffle is NumPy's frozen generator: it gives the same order in every version, and
    with seed 113 the split that Keras' data sets are known by. Raises EvermodelError if the source declares
    no split that is asked for, if neighbours in time would be torn apart, if a class is too rare to be
    stratified, or if a split would be empty.
    """
    file = f"data/{name}/params.yaml"
    if raw.kind == "series" and rule.method != "time":
        raise EvermodelError(
            f"{file}: split.method is {rule.method}, which would mix the steps of a series, so that windows "
            "of training and test rows overlap; use time"
        )
    if group is not None:
        cut = _cut(file, rule, np.arange(group.max() + 1), None, group)
        parts = {part: np.flatnonzero(np.isin(group, groups)) for part, groups in cut.items()}
    else:
        parts = _cut(file, rule, np.arange(len(raw.manifest)), raw.manifest.get("split"), y)
    if empty := [part for part, index in parts.items() if not len(index)]:
        found = f"{len(raw.manifest)} rows" + ("" if group is None else f" in {group.max() + 1} groups")
        raise EvermodelError(
            f"{file}: split gives {empty[0]} no row, of {found}; add some, or change the shares there"
        )
    return parts


def _cut(file: str, rule: Rule, order: Array, declared: "pd.Series | None", y: Array) -> dict[str, Array]:
    """The numbers of what is cut, rows or groups of them, in each split."""
    generator = np.random.RandomState(rule.seed)
    if rule.test is None:
        if declared is None:
            raise EvermodelError(
                f"{file}: split.method is {rule.method}, but the source declares no split; "
                + ("add split.test" if rule.method == "time" else "use shuffle")
            )
        predefined = declared.to_numpy(dtype=object)
        if other := sorted(set(predefined) - {"train", "test"}):
            raise EvermodelError(f"{file}: the source declares the split {other[0]!r}; name it train or test")
        rest, test = order[predefined == "train"], order[predefined == "test"]
    elif rule.stratify:
        rest, test = _stratified(file, order, y, len(order) - int(len(order) * (1 - rule.test)), rule.seed)
    else:
        if rule.method == "shuffle":
            generator.shuffle(order)
        cut = int(len(order) * (1 - rule.test))
        rest, test = order[:cut], order[cut:]
    held_out = max(1, round(len(rest) * rule.validation))
    if rule.stratify:
        train, validation = _stratified(file, rest, y, held_out, rule.seed)
        return {"train": train, "validation": validation, "test": test}
    if rule.method in ("predefined", "order"):
        generator.shuffle(rest)
    return {"train": rest[:-held_out], "validation": rest[-held_out:], "test": test}


def _stratified(file: str, rows: Array, y: Array, held_out: int, seed: int) -> list[Array]:
    """The rows without, and with, so many held out, each with its share of every class."""
    from sklearn.model_selection import train_test_split

    try:
        parts: list[Array] = train_test_split(rows, test_size=held_out, stratify=y[rows], random_state=seed)
    except ValueError as error:
        reason = textwrap.shorten(str(error), 120, placeholder=" …")
        raise EvermodelError(
            f"{file}: split.stratify can't give every split its share of every class ({reason}); remove it, "
            "as for a target that is a number, enlarge split.test or split.validation, or add rows"
        ) from None
    return parts


def groups(name: str, rule: Rule, manifest: pd.DataFrame) -> Array | None:
    """The number of each row's group, in order of appearance; None if rows are not grouped."""
    if not rule.groups:
        return None
    if missing := [column for column in rule.groups if column not in manifest]:
        raise EvermodelError(
            f"data/{name}/params.yaml: split.groups names {missing[0]!r}; the columns are "
            f"{', '.join(map(str, manifest))}"
        )
    return np.asarray(manifest.groupby(list(rule.groups), sort=False, dropna=False).ngroup(), dtype=np.int64)


def windows(
    name: str, x: Array, y: Array, rows: dict[str, Array], length: int | None
) -> tuple[Array, Array, dict[str, Array]]:
    """Of a series x (steps, columns): what was known before each step, (n, length, columns), and its y.

    The first `length` steps have no such past and go. A test window may begin in training steps, as it
    would on the day; what is predicted never does.
    """
    if length is None or length >= len(rows["train"]):
        raise EvermodelError(
            f"data/{name}/params.yaml: window is {length}, but must be a number of steps "
            f"below {len(rows['train'])}"
        )
    past = np.lib.stride_tricks.sliding_window_view(x[:-1], length, axis=0).swapaxes(1, 2)
    return past, y[length:], {part: index[index >= length] - length for part, index in rows.items()}


def vocabulary(texts: Array) -> tuple[str, ...]:
    """The most frequent words of the texts, most frequent first, ties by the alphabet."""
    counts = Counter(word for text in texts for word in PUNCTUATION.sub(b"", text.encode().lower()).split())
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return tuple(word.decode() for word in ranked[: data.VOCABULARY])


def _inputs(name: str, raw: Raw, dataset: Dataset) -> tuple[Array, tuple[str, ...]]:
    if raw.inputs is not None:
        return raw.inputs, ()
    for column in dataset.drop:
        _column(name, raw, column, "drop")
    series = raw.kind == "series"
    columns = dataset.features(raw.manifest.drop(columns=list(data.OF_SERIES)) if series else raw.manifest)
    if series:  # the past of the target is known too, and comes first
        columns = [str(_column(name, raw, dataset.target, "target").name), *columns]
    if not columns:
        raise EvermodelError(
            f"data set {name} has no column to learn from beside {dataset.target}; add some, or take them "
            f"out of drop in data/{name}/params.yaml"
        )
    features = table_file.typed(raw.manifest[columns])
    if texts := [column for column in columns if features[column].dtype.kind != "f"]:
        raise EvermodelError(
            f"data set {name}: column {texts[0]!r} is no number in every row; mend the data, or name it in "
            f"drop in data/{name}/params.yaml"
        )
    return features.to_numpy(dtype=np.float64), tuple(columns)


def _moments(x: Array) -> dict[str, tuple[float, ...]]:
    """Mean and variance of each column (the last axis), by the distance of all rows to the first.

    So a column that never varies has its very value as mean, and variance 0, and one far from 0 keeps its
    digits. The sum of a million times 0.1 is off by more.
    """
    steps = tuple(range(x.ndim - 1))
    first = x[(0,) * len(steps)]
    far = x - first
    mean, variance = first + far.mean(axis=steps), far.var(axis=steps)
    return {"mean": tuple(mean.tolist()), "variance": tuple(variance.tolist())}


def _column(name: str, raw: Raw, column: str, key: str) -> pd.Series:
    if column not in raw.manifest:
        raise EvermodelError(
            f"data set {name} has no column {column!r}; set {key} in data/{name}/params.yaml to one of "
            f"{', '.join(map(str, raw.manifest.columns))}"
        )
    return raw.manifest[column]


def _targets(name: str, raw: Raw, dataset: Dataset) -> Array:
    """Masks and several numbers as they are; of a column the text of each row, (n,) objects."""
    if raw.targets is not None:
        return raw.targets
    if dataset.targets:
        columns = [_column(name, raw, column, "targets") for column in dataset.targets]
        return np.stack([column.to_numpy(dtype=np.float64) for column in columns], axis=1)
    target = _column(name, raw, dataset.target, "target")
    if raw.kind == "series":
        return target.to_numpy(dtype=np.float64)
    labels = dataset.labels(target)
    if dataset.classes and (unknown := sorted(set(labels) - set(dataset.classes))):
        raise EvermodelError(
            f"data set {name} has labels that classes in data/{name}/params.yaml does not name: "
            f"{', '.join(map(str, unknown[:5]))}"
        )
    return labels.to_numpy(dtype=object)


def _classes(y: Array, dataset: Dataset) -> tuple[str, ...]:
    """The labels, numbers by their size and text by the alphabet; none if the target can't be a class."""
    if y.dtype != object or dataset.is_number:
        return ()
    if dataset.classes:
        return dataset.classes
    labels = np.array(sorted(set(y)), dtype=object)
    if len(labels) > data.MOST_CLASSES:
        return ()
    numbers = _numbers(labels)
    return tuple(labels if numbers is None else labels[np.argsort(numbers, kind="stable")])


def _counts(split: Split, classes: tuple[str, ...]) -> tuple[int, ...]:
    """How many rows each class has, or in how many groups of rows it is."""
    members = pd.DataFrame(
        {"label": split.y, "member": range(len(split)) if split.group is None else split.group}
    )
    counts = members.drop_duplicates()["label"].value_counts()
    return tuple(int(counts.get(label, 0)) for label in classes)


def _numbers(y: Array) -> Array | None:
    """The numbers that labels are; None if one of them is no finite number."""
    numbers = pd.to_numeric(pd.Series(y), errors="coerce").to_numpy(np.float64)
    return numbers if np.isfinite(numbers).all() else None


def _clipped(y: Array, rows: dict[str, Array], dataset: Dataset) -> Array:
    """Several targets within their ranges: only in what is learned from, never in what is judged."""
    low, high = np.transpose(list(dataset.targets.values()))
    clipped = y.clip(low, high)
    clipped[rows["test"]] = y[rows["test"]]
    return clipped


def _scale(y: Array, train: Array, dataset: Dataset) -> dict[str, tuple[float, ...]]:
    """Mean and deviation of each target that is a number; a deviation of 0 would divide by nothing."""
    numbers = y if y.dtype.kind == "f" else None if y.dtype != object or dataset.classes else _numbers(y)
    if numbers is None:
        return {}
    means, deviations = (np.atleast_1d(of(numbers[train], axis=0)).tolist() for of in (np.mean, np.std))
    return {"target_mean": tuple(means), "target_sd": tuple(value or 1.0 for value in deviations)}


def _duplicates(name: str, splits: dict[str, Split], limit: float | None) -> int:
    """How many test rows stand among the rows that a model may learn from."""
    seen = {row for part in ("train", "validation") for row in data.row_hashes(splits[part].x)}
    count = sum(row in seen for row in data.row_hashes(splits["test"].x))
    if limit is not None and count > limit * len(splits["test"]):
        raise EvermodelError(
            f"data set {name}: {count} of {len(splits['test'])} test rows are also training rows, more than "
            f"duplicates = {limit:g} in data/{name}/params.yaml allows; remove them, or raise the limit there"
        )
    return count
