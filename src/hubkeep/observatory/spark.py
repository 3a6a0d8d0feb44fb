# SPDX-License-Identifier: Apache-2.0
"""Spark, for histories that outgrow one machine: the same views and figures, in Spark's words."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.dialects import spark
from hubkeep.observatory.figure import Value

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

_SETTINGS: Final[Mapping[str, str]] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.adaptive.enabled": "true",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}

# What Spark takes for granted is a cluster: two hundred parts of each table that it sorts.
_SMALL: Final[Mapping[str, str]] = {
    "spark.sql.shuffle.partitions": "4",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}


class Spark:
    """A session of Spark, see `engine.Backend`; the files of snapshots have to be where its workers
    find them under the same paths.
    """

    def __init__(self, master: str) -> None:
        """`master` is what Spark calls so: spark://HOST:PORT, or local[N]."""
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master(master).appName("hubkeep")
        settings = {**_SETTINGS, **(_SMALL if master.startswith("local[") else {})}
        for name, value in settings.items():
            builder = builder.config(name, value)
        self._session = builder.getOrCreate()
        self._session.sparkContext.setLogLevel("ERROR")
        self._files: dict[Path, str] = {}
        self._held: dict[str, DataFrame] = {}

    def scan(self, folder: Path, table: str) -> str:
        """Read the table's file whenever it is asked for."""
        file = folder.absolute() / f"{table}.parquet"
        if file not in self._files:
            self._files[file] = f"file_{len(self._files)}"
            self._session.read.parquet(str(file)).createOrReplaceTempView(self._files[file])
        return f"SELECT * FROM {self._files[file]}"

    def view(self, name: str, sql: str) -> None:
        """Let a name stand for a SELECT."""
        self._session.sql(spark(sql)).createOrReplaceTempView(name)

    def table(self, name: str, sql: str) -> None:
        """Keep the rows of a SELECT under a name."""
        self._hold(name, self._session.sql(spark(sql)))

    def settle(self, name: str, sql: str) -> None:
        """Keep the rows of a SELECT under a name: in memory, as far as there is room."""
        self.table(name, sql)

    def keep(self, name: str, rows: "pa.Table") -> None:
        """Keep rows under a name."""
        self._hold(name, self._session.createDataFrame(rows))

    def query(self, sql: str, parameters: Mapping[str, Value]) -> "pa.Table":
        """Return the rows of a SELECT."""
        return self._session.sql(spark(sql), args=dict(parameters)).toArrow()

    def close(self) -> None:
        """End the session."""
        self._session.stop()

    def _hold(self, name: str, rows: "DataFrame") -> None:
        """Keep rows, in place of what was kept under the name."""
        held = rows.persist()
        held.count()
        if name in self._held:
            self._held[name].unpersist()
        self._held[name] = held
        held.createOrReplaceTempView(name)
