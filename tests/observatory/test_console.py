# SPDX-License-Identifier: Apache-2.0
"""SQL that people write: it reads the snapshot, and reaches nothing else."""

import asyncio
import errno
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

pytest.importorskip("duckdb")

from hubkeep.observatory.console.process import Console
from hubkeep.observatory.console.wire import MOST_CELL, Rows
from hubkeep.observatory.reader.process import NoAnswer
from hubkeep.observatory.reader.wire import Shelf
from tests.observatory.shelf import ecosystem

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(history=[str(ecosystem(tmp_path_factory.mktemp("shelf")).folder)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prepared")


@asynccontextmanager
async def asking(
    folder: Path, seconds: float = 10, patience: float = 30
) -> AsyncGenerator[Console]:
    console = Console(folder, seconds, patience)
    try:
        yield console
    finally:
        await console.close()


def hiding(shelf: Shelf, *models: str) -> Shelf:
    """The same snapshot, of which some models are not to be seen."""
    return Shelf(history=shelf.history, hidden={"models": models}, hides=[{"models": len(models)}])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def begun(console: Console) -> None:
    """Wait until a query has its turn."""
    while not console._turn.locked():  # noqa: ASYNC110  (nothing tells)
        await asyncio.sleep(0)


async def run(folder: Path, shelf: Shelf, sql: str, rows: int = 1_000) -> Rows:
    async with asking(folder) as console:
        return await console.run(shelf, sql, rows)


async def test_a_query_reads_what_figures_read(folder: Path, shelf: Shelf) -> None:
    found = await run(
        folder,
        shelf,
        "SELECT org_type, count(*) AS n, sum(downloads_30d) AS dl FROM models "
        "WHERE is_flagged GROUP BY 1",
    )
    assert found.columns == ["org_type", "n", "dl"]
    assert found.rows == [["university", 1, 1_000_000]]
    assert not found.is_cut
    for view in ("universe", "datasets", "spaces", "accounts", "lineage", "labels", "events"):
        assert (await run(folder, shelf, f"SELECT * FROM {view} LIMIT 1")).columns


async def test_explanations_and_descriptions_are_reading_too(folder: Path, shelf: Shelf) -> None:
    for sql in ("EXPLAIN SELECT * FROM models", "DESCRIBE models", "FROM models LIMIT 1"):
        assert (await run(folder, shelf, sql)).rows


async def test_rows_that_are_more_than_wanted_are_cut_and_it_says_so(
    folder: Path, shelf: Shelf
) -> None:
    found = await run(folder, shelf, "SELECT * FROM range(100)", rows=7)
    assert len(found.rows) == 7
    assert found.is_cut
    long = await run(folder, shelf, "SELECT repeat('x', 1000000) AS x")
    assert len(str(long.rows[0][0])) == MOST_CELL + 1
    assert long.is_cut
    wide = await run(folder, shelf, "SELECT repeat('x', 1999) AS x FROM range(10000)", rows=10_000)
    assert wide.is_cut
    assert 1_000 < len(wide.rows) < 10_000


async def test_values_of_all_kinds_come_as_json(folder: Path, shelf: Shelf) -> None:
    found = await run(
        folder,
        shelf,
        "SELECT DATE '2024-07-11' AS d, 9007199254740993 AS large, 'nan'::DOUBLE AS nan, "
        "[1, 2] AS list, NULL AS nothing, true AS yes, 1.5::DECIMAL(9, 2) AS dec",
    )
    assert found.rows == [["2024-07-11", "9007199254740993", "nan", "[1, 2]", None, True, "1.50"]]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM read_parquet('{snapshot}/models.parquet')",
        "SELECT * FROM read_json('http://127.0.0.1:9/x')",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "ATTACH '{folder}/other.duckdb'",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW t AS SELECT 1",
        "INSERT INTO models SELECT * FROM models",
        "UPDATE models SET likes = 0",
        "DELETE FROM models",
        "DROP TABLE models",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '8GB'",
        "SET enable_external_access = true",
        "PRAGMA enable_profiling",
        "CALL pragma_version()",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE models",
        "",
        "-- nothing",
        "SELECT",
        "SELECT nothing FROM nowhere",
        "SELECT * FROM known_hidden",
        "SELECT * FROM raw_models",
        "EXPORT DATABASE '{folder}/all'",
        "CHECKPOINT",
        "BEGIN",
    ],
)
async def test_what_is_no_reading_of_the_snapshot_is_refused(
    folder: Path, shelf: Shelf, sql: str
) -> None:
    before = names(folder)
    filled = sql.format(folder=folder, snapshot=shelf.history[-1])
    with pytest.raises(NoAnswer) as refused:
        await run(folder, shelf, filled)
    assert refused.value.status == 400
    assert str(refused.value)
    assert before in (names(folder), [])


async def test_nothing_of_the_server_can_be_seen(folder: Path, shelf: Shelf) -> None:
    os.environ["HUBKEEP_TEST_SECRET"] = "very-secret-value"
    try:
        for sql in (
            "SELECT getenv('HUBKEEP_TEST_SECRET')",
            "SELECT * FROM duckdb_settings()",
            "SELECT * FROM duckdb_secrets()",
            "SELECT sql FROM duckdb_tables()",
            "SELECT sql FROM duckdb_views()",
        ):
            try:
                found = str((await run(folder, shelf, sql)).rows)
            except NoAnswer as refused:
                found = str(refused)
            assert "very-secret-value" not in found
            assert shelf.history[-1] not in found
    finally:
        del os.environ["HUBKEEP_TEST_SECRET"]


async def test_a_query_that_takes_too_long_is_ended(folder: Path, shelf: Shelf) -> None:
    endless = "SELECT sum(hash(range)) FROM range(1000000000000)"
    async with asking(folder, seconds=0.5) as console:
        with pytest.raises(NoAnswer, match="longer than") as refused:
            await console.run(shelf, endless)
        assert refused.value.status == 400
        assert (await console.run(shelf, "SELECT 1")).rows == [[1]]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT repeat('x', 4000000000)",
        "SELECT list(a.range) FROM range(200000000) a",
        "SELECT string_agg(repeat('x', 1000), '') FROM range(5000000)",
        "SELECT a.range, b.range FROM range(100000000) a ORDER BY hash(a.range) DESC",
    ],
)
async def test_a_query_that_takes_too_much_memory_is_refused(
    folder: Path, shelf: Shelf, sql: str
) -> None:
    with pytest.raises(NoAnswer) as refused:
        await run(folder, shelf, sql)
    assert refused.value.status == 400


async def test_one_query_runs_at_a_time_and_the_next_does_not_wait_for_long(
    folder: Path, shelf: Shelf
) -> None:
    endless = "SELECT sum(hash(range)) FROM range(1000000000000)"
    async with asking(folder, seconds=3, patience=0.05) as console:
        first = asyncio.create_task(console.run(shelf, endless))
        await begun(console)
        with pytest.raises(NoAnswer, match="busy") as refused:
            await console.run(shelf, "SELECT 1")
        assert refused.value.status == 503
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_what_nobody_may_see_any_more_is_not_there(tmp_path: Path, shelf: Shelf) -> None:
    hidden = hiding(shelf, "google/small", "someone/packed")
    for sql in (
        "SELECT count(*) FROM models WHERE id = 'google/small'",
        "SELECT count(*) FROM universe WHERE id = 'google/small'",
        "SELECT count(*) FROM lineage WHERE child = 'someone/packed'",
    ):
        assert (await run(tmp_path, hidden, sql)).rows == [[0]], sql
    assert len(names(tmp_path)) == 1


async def test_what_was_prepared_is_kept_for_a_few_and_may_be_deleted(
    tmp_path: Path, shelf: Shelf
) -> None:
    for name in ("a/one", "a/two", "a/three"):
        await run(tmp_path, hiding(shelf, name), "SELECT 1")
    kept = names(tmp_path)
    assert len(kept) == 2
    for name in kept:
        (tmp_path / name).unlink()
    assert (await run(tmp_path, shelf, "SELECT 1")).rows == [[1]]


async def test_one_snapshot_is_prepared_at_a_time(tmp_path: Path, shelf: Shelf) -> None:
    other = hiding(shelf, "a/other")
    async with asking(tmp_path) as console:
        first = asyncio.create_task(console.run(shelf, "SELECT 1"))
        while not console._preparing:  # noqa: ASYNC110  (nothing tells)
            await asyncio.sleep(0)
        with pytest.raises(NoAnswer, match="Another snapshot") as refused:
            await console.run(other, "SELECT 1")
        assert refused.value.status == 503
        assert (await first).rows == [[1]]
        assert (await console.run(other, "SELECT 1")).rows == [[1]]


async def test_processes_end_without_a_warning(
    folder: Path, shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(4):
        await run(folder, shelf, "SELECT 1")
    assert not [one.message for one in caplog.records if one.levelname != "DEBUG"]


async def test_a_snapshot_that_is_not_there_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer) as refused:
        await run(tmp_path, Shelf(history=["/nowhere"]), "SELECT 1")
    assert refused.value.status == 503
    assert not names(tmp_path)


async def test_the_process_itself_can_open_nothing(folder: Path, shelf: Shelf) -> None:
    """Not only SQL may not: whoever takes over the process finds the same walls."""
    await run(folder, shelf, "SELECT 1")
    database = next(name for name in names(folder) if name.endswith(".duckdb"))
    walls = Path(__file__).with_name("console_walls.py")
    said = await anyio.run_process([sys.executable, str(walls), str(folder / database)])
    assert said.stdout.decode().split() == [str(errno.EMFILE)] * 3
