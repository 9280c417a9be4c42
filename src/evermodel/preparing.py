"""From raw examples to the one split and what its training rows tell."""

import re
from collections import Counter

import numpy as np
import pandas as pd

from evermodel.core import data
from evermodel.core.data import Array, Raw, Spec, Split
from evermodel.core.errors import EvermodelError
from evermodel.datasets.dataset import Dataset
from evermodel.datasets.dataset import Split as Rule
from evermodel.datasets.source import Provenance

# As keras.layers.TextVectorization with standardize="lower_and_strip_punctuation" reads a text; a test
# holds the two together. Keras itself is not asked, because importing it takes longer than counting. Bytes,
# because TensorFlow's capitals and spaces are those of ASCII alone.
PUNCTUATION = re.compile(rb"""[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']""")
VOCABULARY = 20_000


def prepare(name: str, raw: Raw, dataset: Dataset, source: Provenance) -> tuple[Spec, dict[str, Split]]:
    """Split the examples and describe them.

    Raises EvermodelError if the target is missing, a class has no row in a split, or more test rows than
    `duplicates` allows stand in the training rows as well.
    """
    x, columns = _inputs(name, raw, dataset)
    y, classes = _targets(name, raw, dataset)
    rows = split_rows(name, dataset.split, raw.manifest)
    if raw.kind == "series":
        x, y, rows = windows(name, x, y, rows, dataset.window)
    splits = {part: Split(x[index], y[index]) for part, index in rows.items()}
    if not dataset.split.groups:  # else a class may well be new in the test rows: an unknown person
        _every_class_everywhere(name, splits, classes, dataset.novel)
    train = splits["train"].x
    statistics = raw.kind in ("table", "series")
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
        classes=classes,
        rows={part: len(split) for part, split in splits.items()},
        **(_moments(train) if statistics else {}),
        vocabulary=vocabulary(train) if raw.kind == "text" else (),
        **({} if classes or raw.targets is not None else _scale(splits["train"].y)),
        duplicates=_duplicates(name, splits, dataset.duplicates),
        test_hash=data.split_hash(splits["test"]),
    )
    return spec, splits


def split_rows(name: str, rule: Rule, manifest: pd.DataFrame) -> dict[str, Array]:
    """The row numbers of train, validation and test.

    RandomState(seed).shuffle is NumPy's frozen generator: it gives the same order in every version, and
    with seed 113 the split that Keras' data sets are known by.
    """
    order = np.arange(len(manifest))
    generator = np.random.RandomState(rule.seed)
    if rule.groups:
        return _split_groups(name, rule, manifest)
    if rule.method in ("predefined", "time"):
        if "split" not in manifest:
            raise EvermodelError(
                f"data/{name}/params.yaml: split.method is {rule.method}, but the source declares no split; "
                "use shuffle"
            )
        predefined = manifest["split"].to_numpy(dtype=str)
        rest, test = order[predefined == "train"], order[predefined == "test"]
    else:
        if rule.method == "shuffle":
            generator.shuffle(order)
        cut = int(len(order) * (1 - (rule.test or 0)))
        rest, test = order[:cut], order[cut:]
    if rule.method in ("predefined", "order"):
        generator.shuffle(rest)
    held_out = max(1, round(len(rest) * rule.validation))
    return {"train": rest[:-held_out], "validation": rest[-held_out:], "test": test}


def _split_groups(name: str, rule: Rule, manifest: pd.DataFrame) -> dict[str, Array]:
    """The same cut through groups of rows instead of rows: those that agree in all columns of `groups`."""
    if missing := [column for column in rule.groups if column not in manifest]:
        raise EvermodelError(
            f"data/{name}/params.yaml: split.groups names {missing[0]!r}; the columns are "
            f"{', '.join(map(str, manifest))}"
        )
    group = manifest.groupby(list(rule.groups), sort=False).ngroup().to_numpy()
    ungrouped = rule.model_copy(update={"groups": ()})
    cut = split_rows(name, ungrouped, pd.DataFrame(index=range(group.max() + 1)))
    return {part: np.flatnonzero(np.isin(group, groups)) for part, groups in cut.items()}


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
    return tuple(word.decode() for word in ranked[:VOCABULARY])


def _inputs(name: str, raw: Raw, dataset: Dataset) -> tuple[Array, tuple[str, ...]]:
    if raw.inputs is not None:
        return raw.inputs, ()
    target = _column(name, raw, dataset.target)
    beside = raw.manifest.drop(columns=[dataset.target, "split", "date"], errors="ignore")
    # Of a series, the past of the target is known too, and comes first.
    features = beside if raw.kind == "table" else pd.concat([target, beside], axis=1)
    return features.to_numpy(dtype=np.float64), tuple(map(str, features.columns))


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


def _scale(y: Array) -> dict[str, tuple[float, ...]]:
    """Mean and standard deviation of each target; a deviation of 0 would divide by nothing."""
    means, deviations = (np.atleast_1d(statistic(axis=0)).tolist() for statistic in (y.mean, y.std))
    return {"target_mean": tuple(means), "target_sd": tuple(value or 1.0 for value in deviations)}


def _column(name: str, raw: Raw, column: str) -> pd.Series:
    if column not in raw.manifest:
        raise EvermodelError(
            f"data set {name} has no column {column!r}; set target in data/{name}/params.yaml to one of "
            f"{', '.join(map(str, raw.manifest.columns))}"
        )
    return raw.manifest[column]


def _targets(name: str, raw: Raw, dataset: Dataset) -> tuple[Array, tuple[str, ...]]:
    """Masks and numbers as they are, or class numbers with the names that belong to them."""
    if raw.targets is not None:
        return raw.targets, ()
    if dataset.targets:
        ranges = dataset.targets.items()
        columns = [_column(name, raw, column).clip(low, high) for column, (low, high) in ranges]
        return np.stack([column.to_numpy(dtype=np.float64) for column in columns], axis=1), ()
    target = _column(name, raw, dataset.target)
    if dataset.is_quantity(target.dtype.kind == "f"):
        return target.to_numpy(dtype=np.float64), ()
    labels = sorted(target.unique())
    classes = dataset.classes or tuple(map(str, labels))
    known = {label: number for number, label in enumerate(classes)}
    if set(labels) <= set(range(len(classes))):
        return target.to_numpy(dtype=np.int64), classes
    if unknown := [str(label) for label in labels if str(label) not in known]:
        raise EvermodelError(
            f"data set {name} has labels that classes in data/{name}/params.yaml does not name: "
            f"{', '.join(unknown[:5])}"
        )
    return target.map(lambda label: known[str(label)]).to_numpy(dtype=np.int64), classes


def _every_class_everywhere(
    name: str, splits: dict[str, Split], classes: tuple[str, ...], novel: tuple[str, ...]
) -> None:
    for part, absent in (("train", novel), ("test", ())):
        wanted = {number for number, label in enumerate(classes) if label not in absent}
        if missing := wanted - set(np.unique(splits[part].y).tolist()):
            raise EvermodelError(
                f"data set {name}: no {part} row of class {classes[min(missing)]!r}; "
                f"change split in data/{name}/params.yaml or mend the data"
            )


def _duplicates(name: str, splits: dict[str, Split], limit: float) -> int:
    """How many test rows stand among the rows that a model may learn from."""
    seen = {row for part in ("train", "validation") for row in data.row_hashes(splits[part].x)}
    count = sum(row in seen for row in data.row_hashes(splits["test"].x))
    if count > limit * len(splits["test"]):
        raise EvermodelError(
            f"data set {name}: {count} of {len(splits['test'])} test rows are also training rows, more than "
            f"duplicates = {limit:g} in data/{name}/params.yaml allows; remove them or raise the limit"
        )
    return count
