# SPDX-License-Identifier: Apache-2.0
"""What runs the SQL of figures: DuckDB in this process, over the Parquet files as they lie."""

import re
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol

from hubkeep.observatory import views
from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.figure import Value
from hubkeep.observatory.filters import Filters
from hubkeep.observatory.manifest import Manifest
from hubkeep.observatory.schema import MODELS, TABLES, Table
from hubkeep.observatory.store import read_manifest
from hubkeep.observatory.workbench import quoted

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

MEMORY: Final = "320MB"
"""What DuckDB may use; Python, Arrow and NumPy come on top of it. It spills what is more."""

IN_MEMORY: Final = 20_000
"""Up to so many models, a universe is held as a table: figures read it several times."""

_NAMING: Final = {
    "lineage": (("models", "child", ""),),
    "events": (("models", "id", ""),),
    "labels": tuple(
        (f"{kind}s", "id", f" OR repo_type <> '{kind}'") for kind in ("model", "dataset", "space")
    ),
    "accounts": (("accounts", "name", ""),),
}
"""Where tables besides those of repositories name one: kind, column, which rows do not."""

_NAMED: Final = re.compile(r"\$([a-z_][a-z0-9_]*)")
_UNIVERSE: Final = re.compile(r"\buniverse\b")
_REFERENCE: Final = re.compile(rf"\b{views.REFERENCE}")


class Engine(Protocol):
    """Runs SQL over the views; figures know nothing else of it."""

    def query(self, sql: str, parameters: Mapping[str, Value]) -> "pa.Table":
        """Return the rows of a SELECT; `$name` in it is a parameter, further ones are ignored."""
        ...


Names = Mapping[str, Collection[str]]
"""Ids of repositories, in lower case, by table: models, datasets, spaces."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The snapshots that an engine opens, by their folders."""

    history: Sequence[Path]
    """Of one hub, oldest first; figures are about the last."""
    hidden: Sequence[Names] = ()
    """For each of the history, what is not to be read of it: what nobody may see any more. None
    for those without.
    """
    reference: Path | None = None
    """Of another hub, to compare with."""
    reference_hidden: Names = field(default_factory=dict)


class DuckEngine:
    """The views over some snapshots; figures are about the last of their history.

    One engine runs as many figures as wanted, one after the other.
    """

    def __init__(
        self,
        selection: Selection,
        dimensions: Dimensions,
        filters: Filters | None = None,
        memory: str = MEMORY,
    ) -> None:
        import duckdb

        self._filters = filters or Filters()
        self._dimensions = dimensions
        self._spill = tempfile.TemporaryDirectory(prefix="hubkeep-figures-")
        self._connection: DuckDBPyConnection = duckdb.connect(
            config={
                "memory_limit": memory,
                "threads": 2,
                "temp_directory": self._spill.name,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        self._connection.execute("SET TimeZone = 'UTC'")
        self._universe: tuple[int, str] | None = None
        self._hidden: set[str] = set()
        self._reference, self._referred = selection.reference, False
        try:
            self._open(selection)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "DuckEngine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the memory, and what lies on disk; the snapshots stay as they are."""
        self._connection.close()
        self._spill.cleanup()

    def query(self, sql: str, parameters: Mapping[str, Value]) -> "pa.Table":
        """Return the rows of a SELECT; see Engine."""
        if _UNIVERSE.search(sql):
            self._choose(int(parameters.get("k", 300)), str(parameters.get("rule", views.RULES[0])))
        if _REFERENCE.search(sql):
            self._refer()
        wanted = set(_NAMED.findall(sql))
        given = {name: value for name, value in parameters.items() if name in wanted}
        return self._connection.sql(sql, params=given).to_arrow_table()

    def _open(self, selection: Selection) -> None:
        run = self._connection.execute
        folders = selection.history
        manifests = [read_manifest(folder) for folder in folders]
        hidden = {str(number): names for number, names in enumerate(selection.hidden)}
        self._hide({**hidden, views.REFERENCE: selection.reference_hidden})
        self._read("", folders[-1], str(len(folders) - 1))
        self._know()
        self._know_names()
        self._look_back(folders, manifests)
        run(f"CREATE TABLE known_flags AS {views.flags()}")
        run(f"CREATE VIEW known_models AS {views.known_models()}")
        run(f"CREATE VIEW models AS {views.models(self._filters)}")
        self._pass_on()

    def _refer(self) -> None:
        """Make the views of the hub to compare with, when they are first asked for: flags and
        namespaces of a large hub take their time.
        """
        if self._referred:
            return
        of, run = views.REFERENCE, self._connection.execute
        self._read(of, self._reference, of)
        self._know_names(of)
        run(f"CREATE TABLE known_{of}flags AS {views.flags(of)}")
        run(f"CREATE VIEW {of}models AS {views.known_models(of)}")
        self._pass_on(of)
        self._referred = True

    def _read(self, of: str, folder: Path | None, place: str) -> None:
        """Make `raw_*` of a snapshot; what it does not have, and no snapshot, has no rows."""
        there = read_manifest(folder).tables if folder else {}
        for name, table in TABLES.items():
            rows = _rows(table, folder if name in there else None)
            self._connection.execute(
                f"CREATE VIEW raw_{of}{name} AS {rows}{self._shown(name, place)}"
            )

    def _pass_on(self, of: str = "") -> None:
        run = self._connection.execute
        run(f"CREATE VIEW {of}lineage AS {views.lineage(of)}")
        for name in TABLES:
            if name not in ("models", "lineage"):
                run(f"CREATE VIEW {of}{name} AS SELECT * FROM raw_{of}{name}")

    def _look_back(self, folders: Sequence[Path], manifests: Sequence[Manifest]) -> None:
        """Make `snapshots` and `history`: what all snapshots say of models."""
        parts, rows = [], []
        for number, (folder, manifest) in enumerate(zip(folders, manifests, strict=True)):
            taken = f"TIMESTAMP {quoted(manifest.taken_at[:19].replace('T', ' '))}"
            rows.append(
                f"SELECT {number} AS number, {taken} AS taken_at, {quoted(manifest.id)} AS id"
            )
            there = _rows(MODELS, folder if MODELS.name in manifest.tables else None)
            there += self._shown(MODELS.name, str(number))
            parts.append(f"SELECT {number} AS number, {taken} AS taken_at, * FROM ({there}) AS m")
        run = self._connection.execute
        run(f"CREATE VIEW snapshots AS {' UNION ALL '.join(rows)}")
        run(f"CREATE VIEW history AS {views.HISTORY.format(parts=' UNION ALL '.join(parts))}")

    def _hide(self, hidden: Mapping[str, Names]) -> None:
        """Make `known_hidden`, of what is not to be read where, and remember where there is any."""
        rows = [
            (f"{place} {table}", name)
            for place, names in hidden.items()
            for table, ids in sorted(names.items())
            for name in sorted(ids)
        ]
        self._hidden = {place for place, _ in rows}
        self._keep(
            "known_hidden", place=[place for place, _ in rows], id=[name for _, name in rows]
        )

    def _shown(self, table: str, where: str) -> str:
        """The condition that leaves out what is hidden, to stand after the SQL of `_rows`."""
        known = "SELECT id FROM known_hidden WHERE place ="
        conditions = [
            f"(lower({column}) NOT IN ({known} '{place}'){unless})"
            for kind, column, unless in _NAMING.get(table, ((table, "id", ""),))
            if (place := f"{where} {kind}") in self._hidden
        ]
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""

    def _know(self) -> None:
        """Make the small tables of what Hubkeep knows of tasks and of former names."""
        known = self._dimensions
        tasks = sorted(known.modalities)
        self._keep("known_tasks", task=tasks, modality=[known.modalities[task] for task in tasks])
        old = sorted(known.aliases)
        self._keep("known_aliases", old=old, new=[known.aliases[name] for name in old])

    def _know_names(self, of: str = "") -> None:
        """Make those of licences and namespaces, as far as the snapshot asks for them."""
        known = self._dimensions
        licenses = self._column(
            f"SELECT DISTINCT license FROM raw_{of}models WHERE license IS NOT NULL ORDER BY 1"
        )
        classes = [known.license_class(name) for name in licenses]
        self._keep(f"known_{of}licenses", license=licenses, license_class=classes)
        # An id without a namespace, too: an alias may know whose it is.
        authors = self._column(
            f"SELECT DISTINCT coalesce(author, '/' || id) AS author FROM raw_{of}models UNION "
            f"SELECT author FROM raw_{of}datasets WHERE author IS NOT NULL ORDER BY 1"
        )
        told = self._connection.execute(
            f"SELECT name, org_type FROM raw_{of}accounts WHERE org_type IS NOT NULL"
        )
        resolved = known.resolved(authors, dict(told.fetchall()))
        columns = {name: resolved[name] for name in resolved.column_names}
        self._keep(f"known_{of}namespaces", **columns)

    def _column(self, sql: str) -> list[str]:
        return [row[0] for row in self._connection.execute(sql).fetchall()]

    def _keep(self, name: str, **columns: "Sequence[str] | pa.ChunkedArray") -> None:
        import pyarrow as pa

        arrays = {
            key: pa.array(values, pa.string()) if isinstance(values, list) else values
            for key, values in columns.items()
        }
        self._connection.register("given", pa.table(arrays))
        self._connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        self._connection.unregister("given")

    def _choose(self, k: int, rule: str) -> None:
        """Make `universe` what the parameters say."""
        if (k, rule) == self._universe:
            return
        run = self._connection.execute
        run("DROP VIEW IF EXISTS universe")
        run(f"CREATE OR REPLACE TABLE universe_places AS {views.places(rule, k)}")
        if k <= IN_MEMORY:
            run(f"CREATE OR REPLACE TABLE universe_rows AS {views.UNIVERSE}")
            run("CREATE VIEW universe AS SELECT * FROM universe_rows")
        else:
            run(f"CREATE VIEW universe AS {views.UNIVERSE}")
        self._universe = (k, rule)


def _rows(table: Table, folder: Path | None) -> str:
    """The SQL of a table of a snapshot; without a folder it has no rows."""
    if folder is not None:
        return f"SELECT * FROM {quoted(folder / f'{table.name}.parquet')}"
    nulls = ", ".join(f'CAST(NULL AS {one.kind.value}) AS "{one.name}"' for one in table.columns)
    return f"SELECT * FROM (SELECT {nulls} WHERE false) AS nothing"
