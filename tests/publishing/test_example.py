import numpy as np
import pandas as pd
import pytest

from evermodel.core import fields, rows
from evermodel.core.columns import Column
from evermodel.publishing import example
from tests.specs import make_spec

COLUMNS = (
    Column(name="width", gaps="fill"),
    Column(name="count", kind="whole", gaps="fill"),
    Column(name="on", kind="boolean", gaps="category"),
    Column(name="day", kind="time", gaps="fill"),
    Column(name="when", kind="time", format="%d.%m.%Y %H:%M:%S.%f", gaps="fill"),
    Column(name="code", kind="category", gaps="category"),
    Column(name="note", kind="text", gaps="category"),
)
RAW = pd.DataFrame(
    {
        "width": [1.5, None, 2.0],
        "count": [3, None, 2.5],
        "on": [True, None, False],
        "day": ["2024-12-31", None, "2024-12-31 23:59:59.250000"],
        "when": ["31.12.2024 23:59:59.000001", None, "01.01.1960 00:00:00.000000"],
        "code": ["7", None, "x"],
        "note": ["a b", None, "Größe"],
    },
    dtype=object,
)


def test_typed_rows_are_written_as_a_file_has_them_and_read_as_the_same():
    spec = make_spec("table", columns=COLUMNS, input_shape=(7,))
    typed = fields.typed(RAW, COLUMNS)
    written = example.raw(rows.of(typed, COLUMNS), spec)
    assert written.to_numpy().tolist() == RAW.to_numpy().tolist()
    pd.testing.assert_frame_equal(example.taken(written, spec), typed)


@pytest.mark.parametrize(("kind", "dtype"), [("images", np.uint8), ("text", object)])
def test_other_examples_stay_what_they_are(kind, dtype):
    spec = make_spec(kind)
    examples = np.array(["a", "b"], object) if kind == "text" else np.ones((2, 4, 4, 1), np.uint8)
    assert example.taken(example.raw(examples, spec).tolist(), spec).dtype == dtype
