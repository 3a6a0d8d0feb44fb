# SPDX-License-Identifier: Apache-2.0
"""DuckDB as the observatory uses it: bounded, and without anything loaded from afar."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY: Final = "400MB"
THREADS: Final = 2


@contextmanager
def workbench(scratch: Path, memory: str = MEMORY) -> Generator["DuckDBPyConnection"]:
    """Open an empty database that spills into the folder `scratch`."""
    import duckdb

    connection = duckdb.connect(
        str(scratch / "work.duckdb"),
        config={
            "memory_limit": memory,
            "threads": THREADS,
            "temp_directory": str(scratch / "spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "preserve_insertion_order": True,
        },
    )
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def quoted(text: str | Path) -> str:
    """Return a text as SQL writes it."""
    return "'" + str(text).replace("'", "''") + "'"
