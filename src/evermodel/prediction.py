"""Using a champion on files: tables, images and texts go in as they are."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from PIL import Image

from evermodel.core import fields, generation
from evermodel.core.columns import Column
from evermodel.core.data import CSV, Array, Layout, Spec
from evermodel.core.errors import EvermodelError, UnusableError
from evermodel.core.fields import FieldError
from evermodel.core.terms import Mode
from evermodel.formats import image_files, steps, table_file, tables

SEPARATORS = {table_file.WHITE_SPACE: "white space"}  # as people call it


def inputs(files: Sequence[Path], spec: Spec) -> tuple[list[str], Any]:
    """What `examples` gives for files that lie here."""
    return examples([(str(file), file) for file in files], spec)


def examples(files: Sequence[tuple[str, Path | bytes]], spec: Spec) -> tuple[list[str], Any]:
    """Names of the examples in files, and the examples as the model of that spec takes them.

    files: the name of each, and where it lies or what it holds. A table gives one example per row, an image
    or a text file one each, and a table of series the last steps of each. Raises EvermodelError that names
    the file and what is wrong with it.
    """
    if spec.kind == "table":
        tables = [pd.concat(pieces(*file, spec)) for file in files]
        places = [[str(row + 1) for row in table.index] for table in tables]
        x: Any = pd.concat(tables, ignore_index=True)
    else:
        read = [keyed(*file, spec) for file in files]
        places, x = [keys for keys, _ in read], np.concatenate([examples for _, examples in read])
    names = [
        f"{name}:{place}" if place else name
        for (name, _), within in zip(files, places, strict=True)
        for place in within
    ]
    return names, x


def keyed(name: str, file: Path | bytes, spec: Spec) -> tuple[list[str], Array]:
    """The example in an image or a text, or those of a table of series, and their keys: "" of a single one.

    Raises EvermodelError if it can't be read.
    """
    if spec.kind == "series":
        return steps.windows(name, pd.concat(pieces(name, file, spec)), spec)
    content = _existing(file).read_bytes() if isinstance(file, Path) else file
    example = {"images": _image, "text": _text}[spec.kind](name, content, spec)
    return [""], example[None]


def pieces(name: str, file: Path | bytes, spec: Spec) -> Iterator[pd.DataFrame]:
    """A table as `typed` gives it, table_file.ROWS rows at a time; the index counts from 0.

    It is Parquet or Excel by its name, or else text, whose first line names the columns, or which is written
    as that learned from; or any of it in gz. Raises EvermodelError if it is none, or has no rows, or as
    `typed` does.
    """
    rows = 0
    with io.BytesIO(file) if isinstance(file, bytes) else _existing(file).open("rb") as stream:
        layout = _layout(name, stream, spec)
        for piece in tables.pieces(name, stream, layout):
            rows += len(piece)
            yield typed(name, piece if layout.header else _named(name, piece, spec), spec, layout)
    if rows == 0:
        raise EvermodelError(f"{name} has no rows; give one per example")


def typed(name: str, table: pd.DataFrame, spec: Spec, layout: Layout) -> pd.DataFrame:
    """The columns of the spec in its order, as a model takes them (core/fields.py says how).

    layout: how numbers are written where they are text. A series keeps its gaps, and its columns of dates and
    keys as they stand there. Raises EvermodelError if a column is missing, or a field is not of its kind, or
    is empty where there may be no gap.
    """
    if missing := [column for column in spec.names if column not in table]:
        raise EvermodelError(f"{name} has no column {missing[0]!r}; needed are {', '.join(spec.names)}")
    columns, beside = spec.columns, list[str]()
    if spec.kind == "series":
        columns = tuple(column.model_copy(update={"gaps": "fill"}) for column in columns)
        beside = [column for column in (layout.date, layout.key) if column in table]
    try:
        found = fields.typed(table, columns, decimal=layout.decimal, thousands=layout.thousands)
    except FieldError as error:
        row = table.index[error.row] + 1
        raise EvermodelError(f"{name}: row {row}, column {error.column} {error.wrong}; mend it") from None
    if generation.SEED in columns:
        _require_whole(name, found[generation.SEED.name])
        for column in columns:
            if column.name == generation.CAPTION.name:  # the data set's own, with the captions that it has
                _require_known(name, found[column.name], column)
    if generation.PROMPT in columns:
        _require_short(name, found[generation.PROMPT.name])
    return found.join(table[beside])


def _require_whole(name: str, seeds: pd.Series) -> None:
    if len(odd := seeds[seeds % 1 != 0]):
        where = f"row {odd.index[0] + 1}, column {seeds.name}"
        raise EvermodelError(f"{name}: {where} is {odd.iloc[0]:g}, no whole number; mend it")


def _require_short(name: str, prompts: pd.Series) -> None:
    lengths = prompts.fillna("").str.len()
    if len(long := lengths[lengths > generation.LONGEST]):
        raise EvermodelError(
            f"{name}: row {long.index[0] + 1}, column {prompts.name} has {long.iloc[0]:,} characters; the "
            f"limit is {generation.LONGEST:,}"
        )


def _require_known(name: str, captions: pd.Series, column: Column) -> None:
    """Raise EvermodelError unless captions are of words that are known, and no longer than those."""
    longest = max(len(generation.words(caption)) for caption in column.categories)
    known = generation.vocabulary(column.categories)  # the column's own is not told to who serves
    for row, caption in enumerate(captions, start=1):
        words = generation.words(caption)
        where = f"{name}: row {row}, column {column.name}"
        if unknown := [word for word in words if word not in known]:
            raise EvermodelError(
                f"{where} has the word {unknown[0]!r}, but known are only {', '.join(known)}"
            )
        if len(words) > longest:
            raise EvermodelError(f"{where} has {len(words)} words; the limit is {longest}")


def answers(names: list[str], x: Any, predictions: Array, spec: Spec, task: str) -> list[dict[str, Any]]:
    """An answer per example, by its name: what `answer_columns` gives, a number, text, list or array each."""
    found = {"input": names} | answer_columns(x, predictions, spec, task)
    each = [column.tolist() if isinstance(column, np.ndarray) else column for column in found.values()]
    return [dict(zip(found, row, strict=True)) for row in zip(*each, strict=True)]


def answer_columns(x: Any, predictions: Array, spec: Spec, task: str) -> dict[str, Array | list[Array]]:
    """The answers for n examples, by what they tell.

    Numbers (n,), or (n, k) float64 of a forecast of several steps and of an embedding; classes (n,) objects
    and how probable they are (n,); "text", (n,) objects; or "image", a list of images, uint8.
    """
    if predictions.dtype == object:
        return {"text": predictions}
    if predictions.ndim == 4:
        drawn = zip(np.asarray(x), predictions, strict=True)
        return {"image": [_drawn(example, answer, task) for example, answer in drawn]}
    values = np.asarray(predictions, dtype=float).reshape(len(predictions), -1)
    if spec.targets:
        return dict(zip(spec.targets, values.T, strict=True))
    if task == "embedding":
        return {"embedding": values}
    if spec.classes:
        found = probabilities(values, spec)
        names = np.array(spec.classes, dtype=object)
        return {spec.target: names[found.argmax(axis=1)], "probability": found.max(axis=1)}
    return {spec.target: values if spec.horizon > 1 else values[:, 0]}


def probabilities(values: Array, spec: Spec) -> Array:
    """(n, classes): the probability of each class, of what a model answered, (n, k)."""
    if values.shape[1] == 1:  # a sigmoid: the probability of the second class
        return np.column_stack([1 - values, values])
    return values[:, : len(spec.classes)]  # of features, two coordinates on the map follow


def png(pixels: Array) -> bytes:
    """An answer that is an image as a file."""
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


def _drawn(example: Array, answer: Array, task: str) -> Array:
    """The image that an answer means, (height, width) or (height, width, 3) uint8."""
    # Matplotlib and scikit-learn come with them, of no use to answers that are numbers.
    from evermodel.evaluation import pixel_classes, reconstruction
    from evermodel.tasks import colorization

    if task == "segmentation" and answer.shape[-1] > 1:
        return pixel_classes.coloured(answer)
    if task == "colorization":
        answer = colorization.reassembled(example, answer)
    return reconstruction.eight_bit(answer.squeeze())


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise EvermodelError(f"{file} does not exist; name a file to predict")
    return file


def _layout(name: str, stream: IO[bytes], spec: Spec) -> Layout:
    """How a file is written: as a CSV, or as those learned from, with a first line or without."""
    learned = spec.layout.model_copy(update={"header": True})
    plain = CSV.model_copy(update=spec.layout.model_dump(include={"date", "key"}))
    return next(
        (one for one in (learned, plain) if _columns(name, stream, one) >= {*spec.names}), spec.layout
    )


def _columns(name: str, stream: IO[bytes], layout: Layout) -> set[str]:
    try:
        return set(tables.names(name, stream, layout))
    except EvermodelError:
        return set()


def _named(name: str, piece: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """Columns by their places in the file learned from, of which those of the target may be left out."""
    every, separator = spec.layout.columns, spec.layout.separator
    for columns in (every, [column for column in every if column not in (spec.target, *spec.targets)]):
        if len(columns) == piece.shape[1]:
            return piece.set_axis(list(columns), axis=1)
    raise EvermodelError(
        f"{name} has no first line that names {', '.join(spec.names)}, and as a table without one, whose "
        f"fields {SEPARATORS.get(separator, repr(separator))} sets apart, {piece.shape[1]} fields in a line; "
        f"write such a line, or all of {', '.join(every)} in this order, with or without {spec.target}"
    )


def _image(name: str, content: bytes, spec: Spec) -> Array:
    height, width, channels = spec.input_shape
    try:
        mode: Mode = "L" if channels == 1 else "RGB"
        return image_files.example(io.BytesIO(content), mode, (height, width), spec.layout.fit)
    except UnusableError as reason:
        raise EvermodelError(f"{name} {reason}") from None


def _text(name: str, content: bytes, spec: Spec) -> Array:
    try:
        return np.array(content.decode(), dtype=object)
    except UnicodeDecodeError:
        raise EvermodelError(f"{name} is not a text in UTF-8; save it as UTF-8") from None
