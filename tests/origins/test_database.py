import os
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import sqlalchemy

from evermodel.core.errors import EvermodelError
from evermodel.datasets.source import Query
from evermodel.origins import database
from tests.scheduling.stack import AS_POSTGRES, postgresql
from tests.server import free_port


@pytest.fixture
def shop(tmp_path):
    """The URL of a small database."""
    with sqlite3.connect(tmp_path / "shop.db") as made:
        made.execute("CREATE TABLE orders (id INTEGER, price REAL, item TEXT, paid)")
        rows = [(1, None, "50 %", 1), (2, 2.5, None, 0), (3, 1, "café", None)]
        made.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    made.close()
    return f"sqlite:///{tmp_path / 'shop.db'}"


def rows(url, sql, tmp_path):
    file = tmp_path / "rows.parquet"
    file.unlink(missing_ok=True)
    assert database.snapshot(Query(url=url, sql=sql), file) == pq.read_metadata(file).num_rows
    assert [one.name for one in tmp_path.iterdir() if one.is_dir()] == []
    return pd.read_parquet(file)


@pytest.mark.parametrize("size", [1, 2, 100])
def test_rows_are_written_in_their_order_however_many_come_at_a_time(shop, tmp_path, monkeypatch, size):
    monkeypatch.setattr(database, "ROWS", size)
    found = rows(shop, "SELECT * FROM orders ORDER BY id DESC", tmp_path)
    assert found.id.tolist() == [3, 2, 1]
    assert found.price.tolist()[:2] == [1.0, 2.5]
    assert found.item.tolist()[::2] == ["café", "50 %"]
    assert found.isna().sum().to_dict() == {"id": 0, "price": 1, "item": 1, "paid": 1}


def test_equal_rows_are_equal_bytes(shop, tmp_path):
    for name in ("a", "b"):
        database.snapshot(Query(url=shop, sql="SELECT * FROM orders ORDER BY id"), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_url_may_stand_in_the_environment(shop, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP", shop)
    assert len(rows("SHOP", "SELECT id FROM orders WHERE item LIKE '50 %'", tmp_path)) == 1
    monkeypatch.delenv("SHOP")
    with pytest.raises(EvermodelError, match="environment variable SHOP, which is not set"):
        rows("SHOP", "SELECT id FROM orders", tmp_path)


def test_no_rows_are_a_table_too(shop, tmp_path):
    assert list(rows(shop, "SELECT id, item FROM orders WHERE id > 9", tmp_path)) == ["id", "item"]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT nobody FROM orders", "can't be answered: no such column: nobody"),
        ("SELECT id, item AS id FROM orders", "names the column 'id' twice"),
        ("SELECT x'ff' AS x", "column x holds values of type binary"),
        ("SELECT 1 AS x UNION ALL SELECT 'a'", "values of several types"),
    ],
)
def test_what_can_not_be_answered_is_told(shop, tmp_path, monkeypatch, sql, told):
    monkeypatch.setattr(database, "ROWS", 1)
    with pytest.raises(EvermodelError, match=told) as error:
        rows(shop, sql, tmp_path)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "rows.parquet").exists()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:////nowhere/x.db", "can't be answered: unable to open"),
        ("mysql+pymysql://host/x", "needs the package pymysql, which is not installed"),
        ("klingon://host/x", "can't be answered: Can't load plugin"),
    ],
)
def test_what_can_not_be_reached_is_told(tmp_path, url, told):
    with pytest.raises(EvermodelError, match=told):
        rows(url, "SELECT 1", tmp_path)


def test_what_a_query_changes_is_taken_back(shop, tmp_path):
    rows(shop, "DELETE FROM orders RETURNING id", tmp_path)
    assert len(rows(shop, "SELECT * FROM orders", tmp_path)) == 3


@pytest.fixture(scope="module")
def server():
    """The URL of a PostgreSQL of the test's own."""
    if not postgresql():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "no PostgreSQL: bash tests/debian.sh installs it"
        )
    # A short path, for its socket, which another user can reach.
    folder, port = Path(tempfile.mkdtemp(prefix="postgres-")), free_port()
    if AS_POSTGRES:
        shutil.chown(folder, "postgres", "postgres")
    control = (*AS_POSTGRES, postgresql()[0] / "pg_ctl", "-D", folder / "data", "--wait", "--silent")

    def run(*command):
        subprocess.run([*control, *command], cwd=folder, check=True, capture_output=True, timeout=60)

    run("-o", "-U postgres --auth=trust", "initdb")
    run("--log", folder / "log", "-o", f"-k {folder} -p {port} -h 127.0.0.1", "start")
    yield f"postgresql+psycopg2://postgres@127.0.0.1:{port}/postgres"
    run("-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.mark.all
def test_postgresql_s_types_are_those_of_a_table(server, tmp_path):
    sql = """
        SELECT n AS id, n::numeric / 4 AS price, n % 2 = 0 AS even, DATE '2020-01-31' + n AS day,
               TIMESTAMPTZ '2020-01-01 00:00+02' AS moment, TIME '12:30' AS hour,
               '7f9c24e8-3b12-4fef-91e0-2c6f4a3c4f00'::uuid AS code,
               CASE n WHEN 1 THEN NULL ELSE n END AS maybe, CASE WHEN n > 1 THEN 'a%' END AS word
        FROM generate_series(1, 3) AS n WHERE 'x%y' LIKE '%y' ORDER BY n
    """
    found = rows(server, sql, tmp_path)
    assert found.to_dict("list") | {"maybe": [], "word": []} == {
        "id": [1, 2, 3],
        "price": [0.25, 0.5, 0.75],
        "even": [False, True, False],
        "day": list(map(pd.Timestamp, ["2020-02-01", "2020-02-02", "2020-02-03"])),
        "moment": [pd.Timestamp("2019-12-31 22:00")] * 3,
        "hour": ["12:30:00.000000"] * 3,
        "code": ["7f9c24e8-3b12-4fef-91e0-2c6f4a3c4f00"] * 3,
        "maybe": [],
        "word": [],
    }
    assert found.maybe.isna().tolist() == found.word.isna().tolist() == [True, False, False]


@pytest.mark.all
def test_rows_of_postgresql_come_in_pieces_and_are_the_same_bytes_again(server, tmp_path):
    query = Query(
        url=server, sql="SELECT n, md5(n::text) AS word FROM generate_series(1, 200000) AS n ORDER BY n"
    )
    for name in ("a", "b"):
        assert database.snapshot(query, tmp_path / name) == 200_000
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert pq.read_metadata(tmp_path / "a").row_group(0).num_rows == database.ROWS
    assert pd.read_parquet(tmp_path / "a").n.is_monotonic_increasing


@pytest.mark.all
def test_postgresql_is_not_changed_and_what_it_refuses_is_told(server, tmp_path):
    engine = sqlalchemy.create_engine(server)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t AS SELECT 1 AS x")
    with pytest.raises(EvermodelError, match=r"can't be answered: .*syntax error"):
        rows(server, "SELEC 1", tmp_path)
    with pytest.raises(EvermodelError, match="column x holds values of type list<"):
        rows(server, "SELECT ARRAY[1] AS x", tmp_path)
    with pytest.raises(EvermodelError, match=r"can't be answered: .*refused"):
        rows("postgresql+psycopg2://postgres@127.0.0.1:1/postgres", "SELECT 1", tmp_path)
    assert rows(server, "SELECT x FROM t", tmp_path).x.tolist() == [1]
    engine.dispose()
