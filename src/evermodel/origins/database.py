"""The answer of a database as a file that stays."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from evermodel.core.errors import EvermodelError
from evermodel.datasets.source import Query
from evermodel.formats import table_file, typed_values

ROWS = 65_536  # that are asked for and written at a time
SHOWN = "the source's query"
# Rows come when they are asked for, and a % in the query is one.
ASKED = {"stream_results": True, "max_row_buffer": ROWS, "no_parameters": True}


def snapshot(query: Query, file: Path) -> int:
    """Write the rows of a query to a new Parquet file, and tell how many there are.

    Equal rows in equal order make equal bytes, and need no more memory if there are more. What the query
    changes in the database is taken back. Raises EvermodelError if the database can't be had, if it refuses
    the query, or if a column has values of several types, or such as a table can't have.
    """
    with TemporaryDirectory(dir=file.parent) as folder:
        pieces = []
        for number, table in enumerate(_tables(query)):
            pieces.append(Path(folder, f"{number}.parquet"))
            pq.write_table(table, pieces[-1])
        schema = _common([pq.read_schema(piece) for piece in pieces])
        with pq.ParquetWriter(file, schema) as writer:
            for piece in pieces:
                writer.write_table(pq.read_table(piece).cast(schema))
    return int(pq.read_metadata(file).num_rows)


def _tables(query: Query) -> Iterator[pa.Table]:
    """The rows, ROWS at a time; one table at least."""
    try:
        engine = sqlalchemy.create_engine(_url(query), poolclass=sqlalchemy.NullPool)
        with engine.connect() as connection:
            answer = connection.execution_options(**ASKED).exec_driver_sql(query.sql)
            names = list(answer.keys())
            table_file.require_distinct(SHOWN, names)
            rows = answer.fetchmany(ROWS)
            yield _table(names, rows)
            while rows := answer.fetchmany(ROWS):
                yield _table(names, rows)
    except ModuleNotFoundError as error:
        raise EvermodelError(
            f"{SHOWN} needs the package {error.name}, which is not installed; install it, or name another "
            "driver in its url, as in postgresql+psycopg2://"
        ) from None
    except SQLAlchemyError as error:
        told = error.orig if isinstance(error, DBAPIError) else error
        raise EvermodelError(
            f"{SHOWN} can't be answered: {' '.join(str(told).split())}; correct it"
        ) from None


def _table(names: list[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    columns = [[row[place] for row in rows] for place in range(len(names))]
    return typed_values.plain(SHOWN, pa.table([*map(typed_values.array, columns)], names))


def _common(schemas: list[pa.Schema]) -> pa.Schema:
    """One schema for all pieces: numbers are float64 if some are, and a column may be empty in any piece."""
    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException as error:
        raise EvermodelError(
            f"{SHOWN} gives values of several types ({error}); cast them in the query"
        ) from None


def _url(query: Query) -> str:
    if "://" in query.url:
        return query.url
    if not (found := os.environ.get(query.url)):
        raise EvermodelError(
            f"{SHOWN} names the environment variable {query.url}, which is not set; set it to the url of the "
            "database"
        )
    return found
