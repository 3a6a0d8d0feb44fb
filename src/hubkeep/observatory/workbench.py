# SPDX-License-Identifier: Apache-2.0
"""DuckDB as the observatory uses it: bounded, without the network or anything loaded from afar."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY: Final = "400MB"
THREADS: Final = 2


@contextmanager
def workbench(
    scratch: Path, memory: str = MEMORY, files: Sequence[Path] = ()
) -> Generator["DuckDBPyConnection"]:
    """Open an empty database that spills into the folder `scratch`.

    It reads and writes nothing but what lies in that folder, and reads `files`.
    """
    import duckdb

    scratch = scratch.resolve()
    connection = duckdb.connect(
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
        # It would write to standard output, where the answers are.
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"SET allowed_directories = [{quoted(scratch)}]")
        paths = ", ".join(quoted(path.resolve()) for path in files)
        connection.execute(f"SET allowed_paths = [{paths}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection
    finally:
        connection.close()


def quoted(text: str | Path) -> str:
    """Return a text as SQL writes it."""
    return "'" + str(text).replace("'", "''") + "'"
