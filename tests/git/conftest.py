# SPDX-License-Identifier: Apache-2.0
"""A repository of its own for each test, on each database."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from hubkeep.db import Database
from tests.git.workshop import Workshop, new_repo


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as database:
        yield database


@pytest.fixture
def repo(database: Database) -> Workshop:
    return Workshop(database, new_repo(database))


@pytest.fixture
def sqlite_repo(sqlite_url: str) -> Iterator[Workshop]:
    """A repository on SQLite alone, for tests of what no database has a part in."""
    with closing(Database(sqlite_url)) as database:
        yield Workshop(database, new_repo(database))
