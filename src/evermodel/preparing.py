"""From raw examples to the one split and what its training rows tell."""

import re
from collections import Counter

import numpy as np

from evermodel import data
from evermodel.data import Array, Raw, Spec, Split
from evermodel.errors import EvermodelError
from evermodel.params import Dataset
from evermodel.params import Split as Rule
from evermodel.sources import Provenance

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
    x, columns = _inputs(name, raw, dataset.target)
    y, classes = _targets(name, raw, dataset)
    official = raw.manifest.get("split")
    rows = split_rows(len(y), dataset.split, None if official is None else official.to_numpy(dtype=str))
    splits = {part: Split(x[index], y[index]) for part, index in rows.items()}
    _every_class_everywhere(name, splits, classes)
    train = splits["train"].x
    spec = Spec(
        dataset=name,
        edition=source.edition,
        made=source.made,
        kind=raw.kind,
        input_shape=x.shape[1:],
        input_dtype="string" if raw.kind == "text" else str(x.dtype),
        columns=columns,
        target=dataset.target,
        classes=classes,
        rows={part: len(split) for part, split in splits.items()},
        mean=tuple(train.mean(axis=0).tolist()) if raw.kind == "table" else (),
        variance=tuple(train.var(axis=0).tolist()) if raw.kind == "table" else (),
        vocabulary=vocabulary(train) if raw.kind == "text" else (),
        target_mean=0.0 if classes else float(splits["train"].y.mean()),
        target_sd=1.0 if classes else float(splits["train"].y.std()) or 1.0,
        duplicates=_duplicates(name, splits, dataset.duplicates),
        test_hash=data.split_hash(splits["test"]),
    )
    return spec, splits


def split_rows(count: int, rule: Rule, official: Array | None) -> dict[str, Array]:
    """The row numbers of train, validation and test.

    RandomState(seed).shuffle is NumPy's frozen generator: it gives the same order in every version, and
    with seed 113 the split that Keras' data sets are known by.
    """
    order = np.arange(count)
    generator = np.random.RandomState(rule.seed)
    if rule.method == "official":
        if official is None:
            raise EvermodelError("split.method is official, but the source declares no split; use shuffle")
        rest, test = order[official == "train"], order[official == "test"]
    else:
        if rule.method == "shuffle":
            generator.shuffle(order)
        cut = int(count * (1 - (rule.test or 0)))
        rest, test = order[:cut], order[cut:]
    if rule.method != "shuffle":
        generator.shuffle(rest)
    held_out = max(1, round(len(rest) * rule.validation))
    return {"train": rest[:-held_out], "validation": rest[-held_out:], "test": test}


def vocabulary(texts: Array) -> tuple[str, ...]:
    """The most frequent words of the texts, most frequent first, ties by the alphabet."""
    counts = Counter(word for text in texts for word in PUNCTUATION.sub(b"", text.encode().lower()).split())
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return tuple(word.decode() for word in ranked[:VOCABULARY])


def _inputs(name: str, raw: Raw, target: str) -> tuple[Array, tuple[str, ...]]:
    if target not in raw.manifest:
        raise EvermodelError(
            f"data set {name} has no column {target!r}; set datasets.{name}.target to one of "
            f"{', '.join(map(str, raw.manifest.columns))}"
        )
    if raw.inputs is not None:
        return raw.inputs, ()
    features = raw.manifest.drop(columns=[target, "split"], errors="ignore")
    return features.to_numpy(dtype=np.float64), tuple(map(str, features.columns))


def _targets(name: str, raw: Raw, dataset: Dataset) -> tuple[Array, tuple[str, ...]]:
    """Numbers as they are, or class numbers with the names that belong to them."""
    target = raw.manifest[dataset.target]
    if dataset.is_quantity(target.dtype.kind == "f"):
        return target.to_numpy(dtype=np.float64), ()
    labels = sorted(target.unique())
    classes = dataset.classes or tuple(map(str, labels))
    known = {label: number for number, label in enumerate(classes)}
    if set(labels) <= set(range(len(classes))):
        return target.to_numpy(dtype=np.int64), classes
    if unknown := [str(label) for label in labels if str(label) not in known]:
        raise EvermodelError(
            f"data set {name} has labels that datasets.{name}.classes does not name: {', '.join(unknown[:5])}"
        )
    return target.map(lambda label: known[str(label)]).to_numpy(dtype=np.int64), classes


def _every_class_everywhere(name: str, splits: dict[str, Split], classes: tuple[str, ...]) -> None:
    for part in ("train", "test"):
        missing = set(range(len(classes))) - set(np.unique(splits[part].y).tolist() if classes else ())
        if missing:
            raise EvermodelError(
                f"data set {name}: no {part} row of class {classes[min(missing)]!r}; "
                f"change datasets.{name}.split or mend the data"
            )


def _duplicates(name: str, splits: dict[str, Split], limit: float) -> int:
    """How many test rows stand among the rows that a model may learn from."""
    seen = {row for part in ("train", "validation") for row in data.row_hashes(splits[part].x)}
    count = sum(row in seen for row in data.row_hashes(splits["test"].x))
    if count > limit * len(splits["test"]):
        raise EvermodelError(
            f"data set {name}: {count} of {len(splits['test'])} test rows are also training rows, more than "
            f"datasets.{name}.duplicates = {limit:g} allows; remove them from the data or raise the limit"
        )
    return count
