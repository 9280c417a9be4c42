"""Using a champion on files: a table (CSV or Parquet), images, or texts go in as they are."""

import io
import reprlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from evermodel.core.data import Array, Spec
from evermodel.core.errors import EvermodelError, UnusableError
from evermodel.formats import image_files, table_file

PARQUET = ".parquet"
SEPARATORS = {table_file.WHITE_SPACE: "white space"}  # as people call it


def inputs(files: Sequence[Path], spec: Spec) -> tuple[list[str], Any]:
    """What `examples` gives for files that lie here."""
    return examples([(str(file), file) for file in files], spec)


def examples(files: Sequence[tuple[str, Path | bytes]], spec: Spec) -> tuple[list[str], Any]:
    """Names of the examples in files, and the examples as the model of that spec takes them.

    files: the name of each, and where it lies or what it holds. A table gives one example per row (its
    columns in any order), an image or a text file one each, and a table of a series one of its last rows.
    Raises EvermodelError that names the file and what is wrong with it.
    """
    if spec.kind != "table":
        return [name for name, _ in files], np.stack([example(*file, spec) for file in files])
    tables = [_table(*file, spec) for file in files]
    names = [f"{file[0]}:{row + 1}" for file, rows in zip(files, tables, strict=True) for row in rows.index]
    return names, pd.concat(tables, ignore_index=True)


def example(name: str, file: Path | bytes, spec: Spec) -> Array:
    """The one example in an image, a text, or a table of a series; EvermodelError if it can't be read."""
    if spec.kind == "series":
        return window(name, _table(name, file, spec), spec)
    content = _existing(file).read_bytes() if isinstance(file, Path) else file
    return {"images": _image, "text": _text}[spec.kind](name, content, spec)


def pieces(name: str, file: Path | bytes, spec: Spec) -> Iterator[pd.DataFrame]:
    """A table as it is, CSV or Parquet by its path, table_file.ROWS rows at a time; the index counts from 0.

    Raises EvermodelError if it is none, or has no rows, or as table_file.pieces does.
    """
    rows = 0
    for piece in _read(name, file, spec):
        rows += len(piece)
        yield piece
    if rows == 0:
        raise EvermodelError(f"{name} has no rows; give one per example")


def numbers(name: str, table: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """The columns of the spec in its order, as table_file.numbers reads them.

    Raises EvermodelError if one is missing, or a value is no finite number.
    """
    if missing := [column for column in spec.names if column not in table]:
        raise EvermodelError(f"{name} has no column {missing[0]!r}; needed are {', '.join(spec.names)}")
    read = table_file.grouped if spec.layout.thousands else table_file.numbers
    found = pd.DataFrame({column: read(table[column]) for column in spec.names})
    if (wrong := found.isna().to_numpy()).any():
        row, column = np.argwhere(wrong)[0]
        given = table[spec.names[column]].astype(object).iloc[row]
        raise EvermodelError(
            f"{name}: row {table.index[row] + 1}, column {spec.names[column]} is "
            f"{reprlib.repr(given)}, not a finite number; mend it"
        )
    return found


def window(name: str, table: pd.DataFrame, spec: Spec) -> Array:
    """The last steps of a series, (steps, columns) float64; EvermodelError if there are too few."""
    steps = spec.input_shape[0]
    if len(table) < steps:
        raise EvermodelError(f"{name} has {len(table)} rows; the {steps} last steps are needed")
    return table.to_numpy()[-steps:]


def answers(names: list[str], x: Any, predictions: Array, spec: Spec, task: str) -> list[dict[str, Any]]:
    """One answer per example: numbers, the class and how probable it is, or an image as "image"."""
    values = np.asarray(predictions, dtype=float).reshape(len(names), -1)
    told: list[dict[str, Any]]
    if predictions.ndim == 4:
        drawn = zip(np.asarray(x), predictions, strict=True)
        told = [{"image": _drawn(example, answer, task)} for example, answer in drawn]
    elif spec.targets:
        told = [dict(zip(spec.targets, row, strict=True)) for row in values.tolist()]
    elif task == "embedding":
        told = [{"embedding": row} for row in values.tolist()]
    elif spec.classes:
        told = [
            {spec.target: spec.classes[row.argmax()], "probability": float(row.max())}
            for row in probabilities(values, spec)
        ]
    else:
        told = [{spec.target: value} for value in values[:, 0].tolist()]
    return [{"input": name} | answer for name, answer in zip(names, told, strict=True)]


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


def _table(name: str, file: Path | bytes, spec: Spec) -> pd.DataFrame:
    return pd.concat([numbers(name, piece, spec) for piece in pieces(name, file, spec)])


def _read(name: str, file: Path | bytes, spec: Spec) -> Iterator[pd.DataFrame]:
    if isinstance(file, Path) and _existing(file).suffix == PARQUET:
        yield from _parquet(file, spec)
    else:
        with io.BytesIO(file) if isinstance(file, bytes) else _existing(file).open("rb") as stream:
            yield from _text_file(name, stream, spec)


def _text_file(name: str, stream: IO[bytes], spec: Spec) -> Iterator[pd.DataFrame]:
    """A table whose first line names the columns, or else one that is written as that learned from."""
    layout = spec.layout
    for separator in dict.fromkeys((layout.separator, ",")):
        if table_file.first_line(name, stream, separator).issuperset(spec.names):
            yield from table_file.pieces(name, stream, separator=separator)
            return
    for piece in table_file.pieces(name, stream, separator=layout.separator, header=layout.header):
        yield piece if layout.header else _named(name, piece, spec)


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


def _parquet(file: Path, spec: Spec) -> Iterator[pd.DataFrame]:
    start = 0
    try:
        with pq.ParquetFile(file) as read:
            columns = [name for name in read.schema_arrow.names if name in spec.names]
            table_file.require_distinct(str(file), columns)
            for batch in read.iter_batches(table_file.ROWS, columns=columns):
                # What pandas wrote into the file may say that a column is the index.
                index = pd.RangeIndex(start, start + batch.num_rows)
                yield batch.to_pandas(ignore_metadata=True).set_index(index)
                start += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split()).partition(". ")[0]
        raise EvermodelError(f"{file} is not a Parquet table ({reason}); write it anew") from None


def _image(name: str, content: bytes, spec: Spec) -> Array:
    height, width, channels = spec.input_shape
    try:
        mode: image_files.Mode = "L" if channels == 1 else "RGB"
        return image_files.example(io.BytesIO(content), mode, (height, width), spec.layout.fit)
    except UnusableError as reason:
        raise EvermodelError(f"{name} {reason}") from None


def _text(name: str, content: bytes, spec: Spec) -> Array:
    try:
        return np.array(content.decode(), dtype=object)
    except UnicodeDecodeError:
        raise EvermodelError(f"{name} is not a text in UTF-8; save it as UTF-8") from None
