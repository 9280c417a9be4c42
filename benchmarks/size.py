"""made"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 65_536


def made(rows: int) -> Iterator[pd.DataFrame]:
    """A table of 20 mixed columns beside a key, some rows at a time."""
    for start in range(0, rows, ROWS):
        count, random = min(ROWS, rows - start), np.random.default_rng([16, start])
        numbers = random.normal(size=(count, 6))
        whole = random.integers(0, [100, 7, 100_000], (count, 3))
        category = random.integers(0, [3, 12, 200, 40], (count, 4))
        frame = pd.DataFrame({"number": np.arange(start, start + count)})
        for place, scale in enumerate([1, 10, 0.01, 1000, 5, 1]):
            frame[f"size_{place}"] = (numbers[:, place] * scale).round(4)
        frame[["age", "rooms", "metres"]] = whole
        for place, name in enumerate(["colour", "month", "shop", "maker"]):
            frame[name] = pd.Series([f"{name} {one}" for one in range(200)], dtype="str")[
                category[:, place]
            ].to_numpy()
        frame["used"], frame["sold"] = random.random((2, count)) < [[0.3], [0.8]]
        moments = np.datetime64("2020-01-01", "s") + random.integers(0, 10**8, (2, count)).astype(
            "timedelta64[s]"
        )
        frame["listed"], frame["seen"] = moments
        words = np.array([f"word{n}" for n in range(2000)], dtype=object)[random.zipf(1.4, (count, 4)) % 2000]
        frame["told"] = [" ".join(row) for row in words]
        frame.loc[random.random(count) < 0.1, "size_1"] = np.nan
        frame.loc[random.random(count) < 0.05, "maker"] = None
        noise = random.normal(size=count)
        frame["price"] = (numbers[:, 0] + category[:, 0] + frame["used"] + whole[:, 0] / 50 + noise).round(3)
        yield frame


def write(rows: int, file: Path) -> None:
    schema = None
    with open(file, "wb") as stream:
        writer = None
        for piece in made(rows):
            table = pa.Table.from_pandas(piece, schema, preserve_index=False)
            schema = table.schema
            writer = writer or pq.ParquetWriter(stream, schema)
            writer.write_table(table)
        writer.close()
