"""Text files with one row a line."""

from pathlib import Path

import pandas as pd

from evermodel.core.errors import EvermodelError


def load(file: Path, *, separator: str, header: bool) -> pd.DataFrame:
    """A text file as it stands: columns of numbers where all fields are, columns of text elsewhere.

    Raises EvermodelError if it is empty, no text in UTF-8, or has lines with too many fields.
    """
    try:
        frame = pd.read_csv(
            file, sep=separator, header=0 if header else None, keep_default_na=False, low_memory=False
        )
    except ValueError as error:  # pandas' own errors and those of decoding are ValueErrors
        raise EvermodelError(f"{file} can't be read as a table: {' '.join(str(error).split())}") from None
    # pandas takes the first of too many fields as names of rows
    if not isinstance(frame.index, pd.RangeIndex):
        raise EvermodelError(f"{file} has more fields in its lines than names in its header")
    return frame


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns in which every field is a number or a boolean as float64; the others as they are."""
    words = {"True": "1", "true": "1", "TRUE": "1", "False": "0", "false": "0", "FALSE": "0"}
    done = {}
    for name in frame:
        column = frame[name]
        numbers = pd.to_numeric(
            column.replace(words) if column.dtype.kind == "O" or str(column.dtype) == "str" else column,
            errors="coerce",
        )
        done[name] = numbers.astype("float64") if numbers.notna().all() else column
    return pd.DataFrame(done, index=frame.index)
