# SPDX-License-Identifier: Apache-2.0
"""A snapshot whose every text tries to be something else: HTML, a script, a formula, Markdown."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hubkeep.observatory.manifest import FileOf, Source
from hubkeep.observatory.schema import TABLES
from hubkeep.observatory.snapshot import Snapshot
from hubkeep.observatory.store import Making, SnapshotStore
from hubkeep.observatory.writing import Written, sha256_of
from tests.observatory.tiny import ARROW, TAKEN, Row, model, when

RUN = "window.ran=1"
LOAD = "http://elsewhere.localhost/leak"

FORMULAS = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    '=HYPERLINK("http://elsewhere.localhost/leak","x")',
)

NAMES = (
    f"</script><script>{RUN}</script>/a",
    f"<img src=x onerror={RUN}>/b",
    f"<!--<script>{RUN}//-->/c",
    f"'\"><svg onload={RUN}>/d",
    f"${{{RUN}}}{{{{{RUN}}}}}/e",
    "line\u2028end\u2029here/f",
    f"javascript:{RUN}/g",
    f"[x]({LOAD})![y]({LOAD})|`z`/h",
    "www.elsewhere.localhost/i",
    f"datum.id];{RUN};//[/j",
    f'=HYPERLINK("{LOAD}")/k',
    "__proto__/l",
    "constructor/m",
    f"<style>*{{background:url({LOAD})}}</style>/n",
    "x" * 120 + "/" + "y" * 120,
    "\u202egnitset/o",
)


def hostile(folder: Path) -> Snapshot:
    """Make a snapshot whose names, licences and tasks are hostile; one counter stands out.

    Imports clean what they read, and would leave out most of it: this is one that somebody made
    by hand and passed on.
    """
    rows = [
        model(
            name,
            downloads_30d=100_000_000 if at == 1 else 1000 * (at + 1),
            likes=at,
            license=name,
            task=name,
            library=name,
            size=1_000_000_000 * (at + 1),
            created_at=when("2024-02-03"),
        )
        for at, name in enumerate(NAMES)
    ]
    accounts = [
        {"name": name.partition("/")[0], "kind": "org", "org_type": "company"} for name in NAMES
    ]
    store = SnapshotStore(folder)
    tables = {"models": rows, "accounts": accounts}

    def fill(place: Path) -> dict[str, Written]:
        return {name: _write(place, name, rows) for name, rows in tables.items()}

    made = store.create(Making(Source(kind="import", name=NAMES[0]), TAKEN), fill)
    return Snapshot.open(store.find(made.id))


def _write(place: Path, name: str, rows: Sequence[Row]) -> Written:
    """Write a table as it is, past all cleaning."""
    path = place / f"{name}.parquet"
    key = TABLES[name].columns[0].name
    rows = sorted(rows, key=lambda row: str(row[key]))
    columns = {
        one.name: pa.array([row.get(one.name) for row in rows], ARROW[one.kind])
        for one in TABLES[name].columns
    }
    pq.write_table(pa.table(columns), path)
    missing = tuple(one for one, values in columns.items() if values.null_count == len(rows))
    size = path.stat().st_size
    file = FileOf(rows=len(rows), bytes=size, sha256=sha256_of(path), missing=missing)
    return Written(file, {}, {})
