# SPDX-License-Identifier: Apache-2.0
"""What runs the figures' SQL: DuckDB in this process, or Spark."""

import re
from importlib.util import find_spec
from typing import Final

from hubkeep.observatory.duck import Duck
from hubkeep.observatory.engine import Backend

DUCKDB: Final = "duckdb"
_SPARK: Final = re.compile(r"spark://\S+|local\[(\d+|\*)\]|yarn|k8s://\S+")


class NoSuchEngine(ValueError):
    """There is no engine of this name, or what it needs is not installed; the text says which."""


def backend_of(url: str) -> Backend:
    """Return what runs SQL where `url` says. NoSuchEngine.

    `duckdb` (or `local`) is this process; `spark://HOST:PORT` and `local[N]` are Spark's own names
    for a cluster and for N threads of this machine.
    """
    if url in (DUCKDB, "local"):
        return Duck()
    if not _SPARK.fullmatch(url):
        raise NoSuchEngine(f"there is no engine {url!r}: duckdb, spark://HOST:PORT or local[N]")
    if find_spec("pyspark") is None:
        raise NoSuchEngine(
            f"the engine {url} needs Spark: pip install 'hubkeep[spark]', and Java 17 or newer"
        )
    from hubkeep.observatory.spark import Spark

    return Spark(url)
