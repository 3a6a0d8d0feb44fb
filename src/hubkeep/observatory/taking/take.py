# SPDX-License-Identifier: Apache-2.0
"""A snapshot of this hub, from its own database: of what strangers may see, of everything, or both
at once.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hubkeep.db import Database
from hubkeep.kit.time import Clock, Millis, wire
from hubkeep.observatory.imports.known import with_names
from hubkeep.observatory.manifest import Manifest, Source, Universe
from hubkeep.observatory.store import Making, SnapshotStore
from hubkeep.observatory.taking import selecting
from hubkeep.observatory.taking.queries_taking import Gone, gone_since
from hubkeep.observatory.taking.staging import Staged, Step, stage
from hubkeep.observatory.workbench import quoted, workbench
from hubkeep.observatory.writing import Written, prepare, write_prepared

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

UNIVERSES: Final[Sequence[Universe]] = ("public", "all")

_ROUNDS: Final = 3
_MEMORY: Final = "256MB"
_REPOSITORIES: Final = ("models", "datasets", "spaces")


def take(
    db: Database,
    store: SnapshotStore,
    universes: Sequence[Universe],
    clock: Clock,
    name: str,
    step: Step = lambda _: None,
) -> Mapping[Universe, Manifest]:
    """Take a snapshot of the hub for each universe, all of the same moment.

    The hub is read once, in one transaction, so that what is told belongs together; others go on
    writing meanwhile. What strangers may see no more by the time the public one is written is not
    in it. `name` is what the hub calls itself.
    """
    now = clock()
    with_private = "all" in universes
    with store.scratch("all" if with_private else "public") as folder:
        step("reading repositories")
        staged = db.read_now(partial(stage, folder=folder, step=step, with_private=with_private))
        return {
            universe: store.create(
                Making(Source(kind="hub", name=name), wire(now), universe),
                partial(_fill, staged, db, now, universe, step),
            )
            for universe in universes
        }


def _fill(
    staged: Staged, db: Database, now: Millis, universe: Universe, step: Step, folder: Path
) -> Mapping[str, Written]:
    """Write all tables into a folder; the public ones again where something was hidden meanwhile.

    What is hidden during the last of the rounds has a note that is younger than the snapshot, by
    which those leave it out who show it.
    """
    with workbench(folder, _MEMORY, [staged.repositories, staged.people]) as connection:
        if universe == "all":
            return _write(connection, staged, set(), folder, wire(now), "all", step)
        gone = db.read_now(lambda conn: gone_since(conn, now))
        for _ in range(_ROUNDS):
            written = _write(connection, staged, gone, folder, wire(now), "public", step)
            known, gone = gone, db.read_now(lambda conn: gone_since(conn, now))
            if gone <= known:
                break
        return written


def _write(
    connection: "DuckDBPyConnection",
    staged: Staged,
    gone: set[Gone],
    folder: Path,
    taken_at: str,
    universe: Universe,
    step: Step,
) -> Mapping[str, Written]:
    _look(connection, staged, gone, universe)
    written = {}
    for table in _REPOSITORIES:
        step(f"writing {table} ({universe})")
        part = prepare(connection, table, selecting.repositories(table), taken_at, f"all_{table}")
        if table == "models":
            part = with_names(connection, part)
        written[table] = write_prepared(connection, table, [part], folder)
    for table, selects in (
        ("accounts", [selecting.ACCOUNTS]),
        ("lineage", [selecting.lineage_of_models()]),
        ("labels", [selecting.labels_of(kind) for kind in _REPOSITORIES]),
    ):
        step(f"writing {table} ({universe})")
        select = " UNION ALL ".join(selects)
        part = prepare(connection, table, select, taken_at, f"all_{table}")
        written[table] = write_prepared(connection, table, [part], folder)
    return written


def _look(
    connection: "DuckDBPyConnection", staged: Staged, gone: set[Gone], universe: Universe
) -> None:
    """Make the views `seen` and `people` of what this universe holds."""
    connection.execute("CREATE OR REPLACE TEMP TABLE gone (kind VARCHAR, id BIGINT, name VARCHAR)")
    if gone:
        connection.executemany("INSERT INTO gone VALUES (?, ?, ?)", sorted(gone))
    is_public = universe == "public"
    for view, path, same, hidden in (
        (
            "seen",
            staged.repositories,
            "g.kind = r.kind AND g.id = r.repo_id AND g.name = lower(r.id)",
            "r.private",
        ),
        (
            "people",
            staged.people,
            "g.kind = 'account' AND g.id = r.account_id AND g.name = lower(r.name)",
            "r.disabled",
        ),
    ):
        where = f"WHERE NOT {hidden}" if is_public else ""
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT r.* "
            f"FROM read_parquet({quoted(path.resolve())}) AS r "
            f"ANTI JOIN gone AS g ON {same} {where}"
        )
