# SPDX-License-Identifier: Apache-2.0
"""What runs the SQL of figures: DuckDB in this process, over the Parquet files as they lie."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Protocol

from hubkeep.observatory import views
from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.figure import Value
from hubkeep.observatory.schema import TABLES
from hubkeep.observatory.store import read_manifest
from hubkeep.observatory.workbench import quoted

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

_NAMED: Final = re.compile(r"\$([a-z_][a-z0-9_]*)")

Flagged = Literal["mark", "keep", "drop"]
"""What becomes of counters that stand out: marked and left out of shares, counted like all others,
or left out of everything.
"""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which models a reader asks about; the empty ones are all."""

    org_type: str = ""
    since: str = ""
    """First day of being made, such as 2024-01-01; models without a date are left out then."""
    until: str = ""
    flagged: Flagged = "mark"


class Engine(Protocol):
    """Runs SQL over the views; figures know nothing else of it."""

    def query(self, sql: str, parameters: Mapping[str, Value]) -> "pa.Table":
        """Return the rows of a SELECT; `$name` in it is a parameter, further ones are ignored."""
        ...


class DuckEngine:
    """The views over some snapshots, oldest first; figures are about the last of them."""

    def __init__(
        self,
        folders: Sequence[Path],
        dimensions: Dimensions,
        filters: Filters | None = None,
        memory: str = "400MB",
    ) -> None:
        import duckdb

        self._filters = filters or Filters()
        self._dimensions = dimensions
        self._connection: DuckDBPyConnection = duckdb.connect(
            config={
                "memory_limit": memory,
                "threads": 2,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        self._connection.execute("SET TimeZone = 'UTC'")
        self._universe: tuple[Value, Value] | None = None
        self._open(folders)

    def __enter__(self) -> "DuckEngine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def query(self, sql: str, parameters: Mapping[str, Value]) -> "pa.Table":
        """Return the rows of a SELECT; see Engine."""
        self._choose(parameters)
        wanted = set(_NAMED.findall(sql))
        given = {name: value for name, value in parameters.items() if name in wanted}
        return self._connection.execute(sql, given).to_arrow_table()

    def _open(self, folders: Sequence[Path]) -> None:
        run = self._connection.execute
        last = folders[-1]
        there = read_manifest(last).tables
        for name, table in TABLES.items():
            if name in there:
                run(f"CREATE VIEW raw_{name} AS SELECT * FROM {quoted(last / f'{name}.parquet')}")
            else:
                nulls = ", ".join(
                    f'CAST(NULL AS {c.kind.value}) AS "{c.name}"' for c in table.columns
                )
                run(f"CREATE VIEW raw_{name} AS SELECT {nulls} WHERE false")
        self._history(folders)
        self._know()
        run(f"CREATE VIEW models AS {self._filtered()}")
        run(f"CREATE VIEW lineage AS {views.LINEAGE}")
        for name in TABLES:
            if name not in ("models", "lineage"):
                run(f"CREATE VIEW {name} AS SELECT * FROM raw_{name}")

    def _history(self, folders: Sequence[Path]) -> None:
        parts, rows = [], []
        for number, folder in enumerate(folders):
            manifest = read_manifest(folder)
            taken = f"TIMESTAMP {quoted(manifest.taken_at[:19])}"
            rows.append(
                f"SELECT {number} AS number, {taken} AS taken_at, {quoted(manifest.id)} AS id"
            )
            if "models" in manifest.tables:
                parts.append(
                    f"SELECT {number} AS number, {taken} AS taken_at, * "
                    f"FROM {quoted(folder / 'models.parquet')}"
                )
        self._connection.execute(f"CREATE VIEW snapshots AS {' UNION ALL '.join(rows)}")
        if parts:
            self._connection.execute(f"CREATE VIEW history AS {' UNION ALL '.join(parts)}")

    def _know(self) -> None:
        """Make the small tables of what Hubkeep knows, as far as the snapshot asks for it."""
        import pyarrow as pa

        known, run = self._dimensions, self._connection.execute
        found = run("SELECT DISTINCT license FROM raw_models WHERE license IS NOT NULL ORDER BY 1")
        licenses = [row[0] for row in found.fetchall()]
        classes = [known.license_class(name) for name in licenses]
        self._keep("known_licenses", pa.table({"license": licenses, "license_class": classes}))
        tasks = sorted(known.modalities)
        self._keep(
            "known_tasks",
            pa.table({"task": tasks, "modality": [known.modalities[task] for task in tasks]}),
        )
        old = sorted(known.aliases)
        self._keep(
            "known_aliases", pa.table({"old": old, "new": [known.aliases[name] for name in old]})
        )
        self._keep("known_namespaces", known.resolved(self._authors(), self._self_assigned()))
        run(f"CREATE TABLE known_flags AS {views.FLAGS}")

    def _authors(self) -> list[str]:
        """Namespaces, and ids without one: an alias may know whose they are."""
        found = self._connection.execute(
            "SELECT DISTINCT coalesce(author, id) AS author FROM raw_models ORDER BY 1"
        )
        return [row[0] for row in found.fetchall()]

    def _self_assigned(self) -> dict[str, str]:
        found = self._connection.execute(
            "SELECT name, org_type FROM raw_accounts WHERE org_type IS NOT NULL"
        )
        return dict(found.fetchall())

    def _keep(self, name: str, table: "pa.Table") -> None:
        self._connection.register("given", table)
        self._connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        self._connection.unregister("given")

    def _filtered(self) -> str:
        chosen, wheres = self._filters, []
        if chosen.org_type:
            wheres.append(f"org_type = {quoted(chosen.org_type)}")
        if chosen.since:
            wheres.append(f"created_at >= TIMESTAMP {quoted(chosen.since)}")
        if chosen.until:
            wheres.append(f"created_at < TIMESTAMP {quoted(chosen.until)} + INTERVAL 1 DAY")
        if chosen.flagged == "drop":
            wheres.append("NOT is_flagged")
        where = f"WHERE {' AND '.join(wheres)}" if wheres else ""
        columns = "* REPLACE (false AS is_flagged)" if chosen.flagged == "keep" else "*"
        return f"SELECT {columns} FROM ({views.MODELS}) AS known {where}"

    def _choose(self, parameters: Mapping[str, Value]) -> None:
        """Make the view `universe` what the parameters say."""
        chosen = (parameters.get("k", 300), parameters.get("rule", "downloads_30d"))
        if chosen != self._universe:
            k, rule = int(chosen[0]), str(chosen[1])
            sql = views.UNIVERSE[rule].replace("$k", str(k))
            self._connection.execute(f"CREATE OR REPLACE VIEW universe AS {sql}")
            self._universe = chosen
