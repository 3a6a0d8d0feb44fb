# SPDX-License-Identifier: Apache-2.0
"""DuckDB in this process, over the Parquet files of snapshots as they lie."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.figure import Value
from hubkeep.observatory.workbench import quoted

if TYPE_CHECKING:
    import pyarrow as pa

MEMORY: Final = "290MB"
"""What DuckDB may use; Python, Arrow and NumPy come on top of it. It spills what is more."""


class Duck:
    """A database in memory that spills into a folder of its own; see `engine.Backend`."""

    def __init__(self) -> None:
        import duckdb

        self._spill = tempfile.TemporaryDirectory(prefix="hubkeep-figures-")
        self.connection = duckdb.connect(
            config={
                "memory_limit": MEMORY,
                "threads": 2,
                "temp_directory": self._spill.name,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.execute("SET enable_progress_bar = false")

    def scan(self, folder: Path, table: str) -> str:
        """Read the table's file whenever it is asked for."""
        return f"SELECT * FROM {quoted(folder / f'{table}.parquet')}"

    def view(self, name: str, sql: str) -> None:
        """Let a name stand for a SELECT."""
        self.connection.execute(f"CREATE OR REPLACE VIEW {name} AS {sql}")

    def table(self, name: str, sql: str) -> None:
        """Keep the rows of a SELECT under a name."""
        self.connection.execute(f"CREATE OR REPLACE TABLE {name} AS {sql}")

    def settle(self, name: str, sql: str) -> None:
        """Keep the rows of a SELECT under a name: on disk, packed, so that as much of them is in
        memory as there is room for.
        """
        file = quoted(Path(self._spill.name) / "settled.duckdb")
        self.connection.execute(f"ATTACH IF NOT EXISTS {file} AS settled")
        self.connection.execute(f"CREATE OR REPLACE TABLE settled.{name} AS {sql}")
        self.view(name, f"SELECT * FROM settled.{name}")

    def keep(self, name: str, rows: "pa.Table") -> None:
        """Keep rows under a name."""
        self.connection.register("given", rows)
        self.table(name, "SELECT * FROM given")
        self.connection.unregister("given")

    def query(self, sql: str, parameters: Mapping[str, Value]) -> "pa.Table":
        """Return the rows of a SELECT."""
        return self.connection.sql(sql, params=dict(parameters)).to_arrow_table()

    def close(self) -> None:
        """Give back the memory, and what lies on disk."""
        self.connection.close()
        self._spill.cleanup()
