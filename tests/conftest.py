# SPDX-License-Identifier: Apache-2.0
"""Fixtures for all tests: a database of their own on each engine, and no network but loopback."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.harness.network import stay_on_loopback

if TYPE_CHECKING:
    from tests.harness.postgres import Cluster

pytest_plugins = ["tests.harness.hub", "tests.harness.s3"]

ENGINES = ("sqlite", "postgresql")
TEMPLATE = "template_hubkeep"

stay_on_loopback()

# How long an example takes says how busy the machine is; what must be quick is measured in bench/.
settings.register_profile("hubkeep", deadline=None)
settings.load_profile("hubkeep")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the hub does."""
    return "asyncio"


@pytest.fixture(scope="session")
def prepare_database() -> Callable[[str], None]:
    """What turns the empty database at a URL into the one that tests get a copy of."""
    from hubkeep.db import Database
    from hubkeep.db.migrate import migrate

    def prepare(url: str) -> None:
        with closing(Database(url)) as database:
            migrate(database)

    return prepare


@pytest.fixture(scope="session")
def postgres_cluster() -> "Iterator[Cluster]":
    """A cluster for this worker, started when the first test asks for it.

    Where PostgreSQL is not installed its half of the tests is skipped; in CI that is a failure.
    """
    from tests.harness.postgres import find_binaries, running_cluster

    binaries = find_binaries()
    if binaries is None:
        reason = "PostgreSQL is not installed (on Debian: apt-get install postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with running_cluster(binaries) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgresql_template(
    postgres_cluster: "Cluster", prepare_database: Callable[[str], None]
) -> str:
    """The name of a prepared database that tests get copies of."""
    prepare_database(postgres_cluster.create(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
def postgresql_names() -> Iterator[str]:
    """Names for databases, each given once in this worker's cluster."""
    return (f"test_{number}" for number in count())


@pytest.fixture
def postgresql_url(
    postgres_cluster: "Cluster", postgresql_template: str, postgresql_names: Iterator[str]
) -> Iterator[str]:
    """URL of a prepared PostgreSQL database that is this test's alone."""
    name = next(postgresql_names)
    yield postgres_cluster.create(name, postgresql_template)
    postgres_cluster.drop(name)


@pytest.fixture
def empty_postgresql_url(
    postgres_cluster: "Cluster", postgresql_names: Iterator[str]
) -> Iterator[str]:
    """URL of a PostgreSQL database without a single table."""
    name = next(postgresql_names)
    yield postgres_cluster.create(name)
    postgres_cluster.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(
    tmp_path_factory: pytest.TempPathFactory, prepare_database: Callable[[str], None]
) -> Path:
    """The file of a prepared database that tests get copies of."""
    path = tmp_path_factory.mktemp("template") / "hubkeep.sqlite3"
    prepare_database(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """URL of a prepared SQLite database that is this test's alone."""
    path = tmp_path / "hubkeep.sqlite3"
    # SQLite's own copy, since a template in WAL mode may be more than one file.
    with (
        closing(sqlite3.connect(sqlite_template)) as source,
        closing(sqlite3.connect(path)) as copy,
    ):
        source.backup(copy)
    return f"sqlite:///{path}"


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """URL of a SQLite database without a single table."""
    return f"sqlite:///{tmp_path / 'empty.sqlite3'}"


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a prepared database; the test runs once on each engine."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(params=ENGINES)
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """URL of a database without a single table; the test runs once on each engine."""
    return request.getfixturevalue(f"empty_{request.param}_url")
