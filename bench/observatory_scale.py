# SPDX-License-Identifier: Apache-2.0
"""A snapshot of 3,040,000 models: four copies of a census of 760,000, with all that it lacks.

    python -m bench.observatory_scale FOLDER SNAPSHOT

Ids, downloads and likes, licences, tasks, dates, lineage and labels are the census' own, copied.
What the census does not have (sizes, parameters, emissions, gates, scans, ...) comes from the hash
of the id: the same on every machine, for the same census.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from hubkeep.observatory.manifest import FileOf, Source
from hubkeep.observatory.schema import TABLES, Table
from hubkeep.observatory.store import Making, SnapshotStore, read_manifest
from hubkeep.observatory.workbench import quoted
from hubkeep.observatory.writing import ROW_GROUP, Written, sha256_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COPIES: Final = 4
MEMORY: Final = "3GB"
_NAMED: Final = "CASE WHEN copy = 0 THEN {0} ELSE {0} || '--copy-' || copy END"
_COPIED: Final = "CROSS JOIN (SELECT range AS copy FROM range({copies})) AS copies"

# `h` is the hash of an id, `h // 1000` another number from it: what follows from one and what
# follows from the other are independent. A counter that is more than a hundredth of all is given to
# the first copy alone, so that copies of it are not taken for one counter that several share.
_MODELS: Final = """
SELECT * REPLACE (
  CASE WHEN copy = 0 OR downloads_30d < 1000000
    THEN CAST(downloads_30d * (0.5 + h % 1000 / 1000.0) AS BIGINT)
    ELSE downloads_30d // (997 * copy) END AS downloads_30d,
  CASE WHEN copy = 0 THEN likes ELSE likes // (1 + h % 7) END AS likes,
  downloads_30d * (2 + h // 1000 % 30) AS downloads_all,
  h % 997 / 10.0 AS trending,
  CASE WHEN h // 7 % 20 > 0 THEN CAST(10 ** (4 + h % 7000 / 1000.0) AS BIGINT) END AS size,
  2 * CAST(10 ** (4 + h % 7000 / 1000.0) AS BIGINT) AS used_storage,
  CASE h // 11 % 40 WHEN 0 THEN 'auto' WHEN 1 THEN 'manual' ELSE 'no' END AS gated,
  false AS private,
  h // 13 % 5000 = 0 AS disabled,
  h // 17 % 10 < 7 AS has_card,
  least(created_at + to_hours(CAST(h // 19 % 9000 AS INTEGER)), {taken}) AS last_modified,
  CASE WHEN h // 23 % 10 < 4 THEN CAST(10 ** (6 + h // 29 % 5000 / 1000.0) AS BIGINT) END
    AS parameters,
  CASE WHEN h // 23 % 10 < 4
    THEN CASE h // 31 % 5 WHEN 0 THEN 'name' WHEN 1 THEN 'gguf' ELSE 'safetensors' END END
    AS parameters_from,
  CASE WHEN h // 37 % 200 = 0 THEN 10 ** (h // 41 % 6000 / 1000.0) END AS co2_grams,
  CASE WHEN h // 37 % 200 = 0 THEN 'as said' END AS co2_written,
  CASE WHEN h // 43 % 10 < 6
    THEN CASE h // 47 % 300 WHEN 0 THEN 'unsafe' WHEN 1 THEN 'suspicious' ELSE 'clean' END END
    AS scan
) FROM (
  SELECT m.* REPLACE ({named} AS id), copy, CAST(hash({named}) % 1000000000000 AS BIGINT) AS h
  FROM {file} AS m {copied}
)
"""

_ACCOUNTS: Final = """
SELECT author AS name, CASE WHEN h % 8 = 0 THEN 'org' ELSE 'user' END AS kind,
  CASE WHEN h % 8 = 0 THEN CASE h // 100 % 12 WHEN 0 THEN 'university' WHEN 1 THEN 'non-profit'
    WHEN 2 THEN 'government' WHEN 3 THEN 'classroom' WHEN 4 THEN 'community' WHEN 5 THEN 'company'
    WHEN 6 THEN 'company' END END AS org_type,
  author AS fullname, made AS created_at
FROM (
  SELECT author, min(created_at) AS made, CAST(hash(author) % 1000000000000 AS BIGINT) AS h
  FROM {file} WHERE author IS NOT NULL GROUP BY author
)
"""

# Every 40th model came in one of the last 16 weeks, and every 150th that there was has gone.
_EVENTS: Final = """
SELECT CASE WHEN h % 40 = 0 THEN id ELSE id || '--gone' END AS id,
  CASE WHEN h % 40 = 0 THEN 'added' ELSE 'deleted' END AS event,
  CAST({taken} AS DATE) - CAST(7 * (h // 1000 % 16) AS INTEGER) AS day,
  CASE h // 50 % 5 WHEN 0 THEN 'finetune' WHEN 1 THEN 'quantized' WHEN 2 THEN 'adapter' END
    AS relation,
  CAST(NULL AS VARCHAR) AS parent
FROM (
  SELECT {named} AS id, CAST(hash({named}) % 1000000000000 AS BIGINT) AS h FROM {file} AS m {copied}
) WHERE h % 40 = 0 OR h % 150 = 1
"""


def grown(store: SnapshotStore, census: Path, copies: int = COPIES) -> Path:
    """Make the snapshot of `copies` of the models of another, whose folder is `census`."""
    source = read_manifest(census)
    taken = f"TIMESTAMP {quoted(source.taken_at[:19].replace('T', ' '))}"

    def written(folder: Path) -> Mapping[str, Written]:
        with duckdb.connect(
            config={"memory_limit": MEMORY, "threads": 2, "temp_directory": str(folder / "spill")}
        ) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return {
                name: _write(connection, TABLES[name], sql, folder)
                for name, sql in _tables(census, taken, copies).items()
            }

    making = Making(
        Source(kind="import", name=f"{copies} copies of {source.source.name}"), source.taken_at
    )
    return store.find(store.create(making, written).id)


def _tables(census: Path, taken: str, copies: int) -> Mapping[str, str]:
    """The SQL of each table, by name."""
    copied = _COPIED.format(copies=copies)
    ids = _NAMED.format("m.id")

    def of(table: str) -> str:
        return quoted(census / f"{table}.parquet")

    return {
        "models": _MODELS.format(file=of("models"), named=ids, copied=copied, taken=taken),
        "lineage": f"SELECT {_NAMED.format('child')} AS child, {_NAMED.format('parent')} AS parent,"
        f" relation FROM {of('lineage')} {copied}",
        "labels": f"SELECT repo_type, {ids} AS id, kind, value FROM {of('labels')} AS m {copied}",
        "accounts": _ACCOUNTS.format(file=of("models")),
        "events": _EVENTS.format(file=of("models"), named=ids, copied=copied, taken=taken),
    }


def _write(connection: "DuckDBPyConnection", table: Table, sql: str, folder: Path) -> Written:
    path = folder / f"{table.name}.parquet"
    columns = ", ".join(
        f'CAST("{one.name}" AS {one.kind.value}) AS "{one.name}"' for one in table.columns
    )
    order = ", ".join(f'"{name}"' for name in table.order)
    ((rows,),) = connection.execute(
        f"COPY (SELECT {columns} FROM ({sql}) ORDER BY {order}) TO {quoted(path)} "
        f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
    ).fetchall()
    return Written(FileOf(rows=rows, bytes=path.stat().st_size, sha256=sha256_of(path)), {}, {})


def main() -> None:
    folder, census = map(Path, sys.argv[1:])
    print(grown(SnapshotStore(folder), census))


if __name__ == "__main__":
    main()
