# SPDX-License-Identifier: Apache-2.0
"""Tables are clean, sorted and the same bytes whenever the rows are the same."""

from pathlib import Path

import pytest

pytest.importorskip("duckdb")

import pyarrow as pa
import pyarrow.parquet as pq

from hubkeep.observatory.schema import TABLES
from hubkeep.observatory.workbench import workbench
from hubkeep.observatory.writing import (
    ROW_GROUP,
    Written,
    prepare,
    sha256_of,
    write_prepared,
    write_table,
)

TAKEN = "2024-07-11T00:00:00.000Z"


def written(folder: Path, name: str, source: str) -> Written:
    folder.mkdir(exist_ok=True)
    with workbench(folder) as connection:
        return write_table(connection, name, source, folder, TAKEN)


def many(order: str) -> str:
    return (
        "SELECT 'ns' || (i % 977) || '/m' || i AS id, i % 5000 AS downloads_30d, "
        "['mit', 'apache-2.0', NULL][1 + i % 3] AS license, "
        "TIMESTAMP '2020-01-01' + INTERVAL (i) MINUTE AS created_at "
        f"FROM range(250000) AS t(i) ORDER BY {order}"
    )


def test_the_same_rows_are_the_same_bytes_in_whatever_order_they_come(tmp_path):
    found = {
        written(tmp_path / str(number), "models", many(order)).file.sha256
        for number, order in enumerate(["i", "hash(i)"])
    }
    assert len(found) == 1


def test_files_are_sorted_zstd_in_row_groups_with_the_columns_of_the_schema(tmp_path):
    told = written(tmp_path / "a", "models", many("hash(i)")).file
    file = pq.ParquetFile(tmp_path / "a/models.parquet")
    assert file.schema_arrow.names == list(TABLES["models"].names)
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [
        ROW_GROUP,
        ROW_GROUP,
        250_000 - 2 * ROW_GROUP,
    ]
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    ids = file.read(["id"])["id"].to_pylist()
    assert ids == sorted(ids)
    assert told.rows == 250_000
    assert told.sha256 == sha256_of(tmp_path / "a/models.parquet")
    assert told.bytes == (tmp_path / "a/models.parquet").stat().st_size


def test_a_column_that_the_source_lacks_is_null_and_said_to_be_missing(tmp_path):
    told = written(tmp_path, "models", "SELECT 'a/b' AS id, 3 AS likes, 'x' AS unheard_of")
    rows = pq.read_table(tmp_path / "models.parquet")
    assert "unheard_of" not in rows.column_names
    assert rows["likes"].to_pylist() == [3]
    assert rows["downloads_30d"].to_pylist() == [None]
    assert rows["downloads_30d"].type == pa.int64()
    assert set(told.file.missing) == set(TABLES["models"].names) - {"id", "likes"}


@pytest.mark.parametrize("order", ["downloads_30d", "downloads_30d DESC", "likes"])
def test_of_duplicates_the_one_with_most_downloads_stays(tmp_path, order: str):
    rows = (
        "VALUES ('a/b', 5, 1), ('a/b', 9, 2), ('a/b', 9, 1), ('a/b', NULL, 7), ('c', 1, 1), "
        "('c', 1, 1)"
    )
    told = written(
        tmp_path,
        "models",
        f"SELECT * FROM ({rows}) AS t(id, downloads_30d, likes) ORDER BY {order}",
    )
    kept = pq.read_table(tmp_path / "models.parquet").select(["id", "downloads_30d", "likes"])
    assert kept.to_pylist() == [
        {"id": "a/b", "downloads_30d": 9, "likes": 1},
        {"id": "c", "downloads_30d": 1, "likes": 1},
    ]
    assert told.excluded == {"duplicate": 4}


def test_several_sources_make_one_row_and_the_first_value_wins(tmp_path):
    first = "SELECT * FROM (VALUES ('a', 1, NULL), ('b', 2, 20)) AS t(id, likes, downloads_30d)"
    second = "SELECT * FROM (VALUES ('a', 9, 90), ('c', 3, 30)) AS t(id, likes, downloads_30d)"
    third = "SELECT 'c' AS id, 'mit' AS license"
    with workbench(tmp_path) as connection:
        parts = [
            prepare(connection, "models", sql, TAKEN, f"part_{number}")
            for number, sql in enumerate((first, second, third))
        ]
        told = write_prepared(connection, "models", parts, tmp_path)
    rows = pq.read_table(tmp_path / "models.parquet").select(
        ["id", "likes", "downloads_30d", "license"]
    )
    assert [tuple(row.values()) for row in rows.to_pylist()] == [
        ("a", 1, 90, None),
        ("b", 2, 20, None),
        ("c", 3, 30, "mit"),
    ]
    assert "license" not in told.file.missing
    assert "likes" not in told.file.missing
    assert "task" in told.file.missing


def test_a_count_of_parameters_beats_a_name_whichever_file_it_stands_in(tmp_path):
    named = "SELECT 'a' AS id, 7000000000 AS parameters, 'name' AS parameters_from"
    counted = "SELECT 'a' AS id, 6738415616 AS parameters, 'safetensors' AS parameters_from"
    for number, order in enumerate([(named, counted), (counted, named)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        with workbench(folder) as connection:
            parts = [
                prepare(connection, "models", sql, TAKEN, f"part_{at}")
                for at, sql in enumerate(order)
            ]
            write_prepared(connection, "models", parts, folder)
        [row] = pq.read_table(folder / "models.parquet").to_pylist()
        assert (row["parameters"], row["parameters_from"]) == (6_738_415_616, "safetensors")


def test_a_workbench_reads_and_writes_nothing_outside_its_folder(tmp_path):
    import duckdb

    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.csv").write_text("a\n1\n")
    (outside / "told.csv").write_text("a\n2\n")
    with workbench(inside, files=[outside / "told.csv"]) as connection:
        told = connection.execute(f"SELECT * FROM read_csv('{outside}/told.csv')").fetchall()
        assert told == [(2,)]
        for sql in (
            f"SELECT * FROM read_csv('{outside}/secret.csv')",
            f"COPY (SELECT 1) TO '{outside}/new.csv'",
            "SELECT * FROM 'https://127.0.0.1:1/x.parquet'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access = true",
            "SET memory_limit = '9GB'",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql)
    assert not (outside / "new.csv").exists()
