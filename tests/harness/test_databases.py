# SPDX-License-Identifier: Apache-2.0
"""The fixtures themselves: each test has its own database, prepared or empty, on each engine."""

import os
import select
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from hubkeep.db import Database
from hubkeep.db.migrate import _SCRIPTS, SCHEMA, current
from tests.harness.postgres import find_binaries


@pytest.mark.parametrize("visit", ["first", "second"])
def test_no_test_sees_what_another_wrote(database_url: str, visit: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE written_by_a_test (visit TEXT)"))
        connection.execute(text("INSERT INTO written_by_a_test VALUES (:visit)"), {"visit": visit})
        rows = connection.execute(text("SELECT visit FROM written_by_a_test")).scalars().all()
    engine.dispose()
    assert rows == [visit]


def test_a_prepared_database_has_the_newest_schema(database_url: str) -> None:
    with closing(Database(database_url)) as database:
        assert database.read_now(current) == SCHEMA == ScriptDirectory(_SCRIPTS).get_current_head()


def test_an_empty_database_is_empty(empty_database_url: str) -> None:
    engine = create_engine(empty_database_url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_postgresql_sorts_by_code_point(postgresql_url: str) -> None:
    engine = create_engine(postgresql_url)
    with engine.connect() as connection:
        query = text("SELECT x FROM (VALUES ('b'), ('B'), ('_'), ('é')) AS t (x) ORDER BY x")
        names = connection.execute(query).scalars().all()
    engine.dispose()
    assert names == sorted(names), "SQLite and Python sort so too"


@pytest.mark.skipif(find_binaries() is None, reason="PostgreSQL is not installed")
def test_a_killed_run_leaves_no_server_behind() -> None:
    script = (
        "import os, signal\n"
        "from tests.harness.postgres import find_binaries, running_cluster\n"
        "with running_cluster(find_binaries()) as cluster:\n"
        "    print(cluster._folder, flush=True)\n"
        "    signal.pause()\n"
    )
    root = Path(__file__).parents[2]
    run = subprocess.Popen(
        [sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    with run, run.stdout as output:
        folder = Path(output.readline().strip())
        server = int((folder / "data/postmaster.pid").read_text().split("\n")[0])
        watch = os.pidfd_open(server)
        run.kill()
    _wait_for_exit(watch)
    assert not (folder / "data/postmaster.pid").exists()
    subprocess.run(["rm", "-r", folder], check=True)


def _wait_for_exit(watch: int) -> None:
    """Wait for a process that is not our child; its descriptor is readable once it is gone."""
    ready, _, _ = select.select([watch], [], [], 30)
    os.close(watch)
    assert ready, "the server outlived the run that started it"
