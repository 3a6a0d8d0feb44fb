# SPDX-License-Identifier: Apache-2.0
"""Small snapshots, told as rows: what is not named is missing, as it is of a source."""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from hubkeep.observatory.manifest import Source
from hubkeep.observatory.schema import TABLES, Kind
from hubkeep.observatory.snapshot import Snapshot
from hubkeep.observatory.store import Making, SnapshotStore
from hubkeep.observatory.writing import Written, write_table

Row = Mapping[str, object]

TAKEN = "2024-07-11T00:00:00.000Z"

ARROW = {
    Kind.TEXT: pa.string(),
    Kind.WHOLE: pa.int64(),
    Kind.REAL: pa.float64(),
    Kind.FLAG: pa.bool_(),
    Kind.TIME: pa.timestamp("us"),
    Kind.DAY: pa.date32(),
}


PUBLIC = Source(kind="import", name="tiny")
OWN = Source(kind="hub", name="hub")


def tiny(
    folder: Path, taken_at: str = TAKEN, source: Source = PUBLIC, **tables: Sequence[Row]
) -> Snapshot:
    """Make a snapshot of these tables below a folder; columns that no row names are missing."""
    store = SnapshotStore(folder)

    def fill(place: Path) -> dict[str, Written]:
        return {name: _write(name, rows, place, taken_at) for name, rows in tables.items()}

    made = store.create(Making(source, taken_at), fill)
    return Snapshot.open(store.find(made.id))


def model(name: str, **columns: object) -> Row:
    """Return a model, whose author its id tells."""
    author = {"author": name.partition("/")[0]} if "/" in name else {}
    return {"id": name, **author, **columns}


def when(text: str) -> datetime:
    """Return a time in UTC, as snapshots hold them: without saying so."""
    return datetime.fromisoformat(text)


def _write(name: str, rows: Sequence[Row], place: Path, taken_at: str) -> Written:
    named = {key for row in rows for key in row}
    columns = [one for one in TABLES[name].columns if one.name in named or one.required]
    assert named <= {one.name for one in columns}, f"no columns of {name}: {sorted(named)}"
    given = pa.table(
        {
            one.name: pa.array([row.get(one.name) for row in rows], ARROW[one.kind])
            for one in columns
        }
    )
    with tempfile.TemporaryDirectory() as scratch, duckdb.connect(f"{scratch}/w.duckdb") as base:
        base.execute("SET TimeZone = 'UTC'")
        base.register("given", given)
        return write_table(base, name, "SELECT * FROM given", place, taken_at)
