# SPDX-License-Identifier: Apache-2.0
"""What runs the SQL of figures: the views that they read, made on whatever runs SQL."""

import re
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

IN_MEMORY: Final = 20_000
"""Up to so many models, a universe is held as a table: figures read it several times."""

NAMING: Final = {
    "lineage": (("models", "child", ""),),
    "events": (("models", "id", ""),),
    "labels": tuple((f"{kind}s", "id", kind) for kind in ("model", "dataset", "space")),
    "accounts": (("accounts", "name", ""),),
}
"""Where tables besides those of repositories name something that can be hidden: among which names
to look, for the value of which column, and in rows of which repo_type alone.
"""

_NAMED: Final = re.compile(r"\$([a-z_][a-z0-9_]*)")
_UNIVERSE: Final = re.compile(r"\buniverse\b")
_REFERENCE: Final = re.compile(rf"\b{views.REFERENCE}")
_OWNERS: Final = re.compile(r"\bknown_owners\b")


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


class Backend(Protocol):
    """What holds tables and runs SQL, which is DuckDB's; names are never replaced by others' rows
    than those that were made last.
    """

    def scan(self, folder: Path, table: str) -> str:
        """Return SQL that selects all rows of a table of a snapshot."""
        ...

    def view(self, name: str, sql: str) -> None:
        """Let a name stand for a SELECT."""
        ...

    def table(self, name: str, sql: str) -> None:
        """Keep the rows of a SELECT under a name."""
        ...

    def settle(self, name: str, sql: str) -> None:
        """Keep the rows of a SELECT, which are many, under a name."""
        ...

    def keep(self, name: str, rows: "pa.Table") -> None:
        """Keep rows under a name; they are few."""
        ...

    def query(self, sql: str, parameters: Mapping[str, Value]) -> "pa.Table":
        """Return the rows of a SELECT; its parameters are exactly those given."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class ViewEngine:
    """The views over some snapshots; figures are about the last of their history.

    One engine runs as many figures as wanted, one after the other.
    """

    def __init__(
        self,
        backend: Backend,
        selection: Selection,
        dimensions: Dimensions,
        filters: Filters | None = None,
    ) -> None:
        """Open snapshots; the backend is the engine's own from now on, also where that fails."""
        self._backend = backend
        self._dimensions = dimensions
        self._universe: tuple[int, str] | None = None
        self._is_settled = False
        self._hidden: set[str] = set()
        self._reference, self._referred = selection.reference, False
        self._knows_owners = False
        try:
            self._open(selection)
            self.ask_about(filters or Filters())
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "ViewEngine":
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
        self._backend.close()

    def ask_about(self, filters: Filters) -> None:
        """Let `models` be what a reader's filters leave, from now on."""
        self._backend.view("models", views.models(filters))
        self._universe = None

    def settle(self) -> None:
        """Keep what is known of models and their bases, instead of looking it up each time: that
        takes a moment, and whatever is asked afterwards a quarter of its time.
        """
        if not self._is_settled:
            self._backend.settle("settled_models", views.TO_SETTLE)
            self._backend.view("known_models", views.SETTLED)
            self._backend.settle("settled_lineage", "SELECT * FROM lineage")
            self._backend.view("lineage", "SELECT * FROM settled_lineage")
            self._is_settled = True

    def query(self, sql: str, parameters: Mapping[str, Value]) -> "pa.Table":
        """Return the rows of a SELECT; see Engine."""
        if _UNIVERSE.search(sql):
            self._choose(int(parameters.get("k", 300)), str(parameters.get("rule", views.RULES[0])))
        if _REFERENCE.search(sql):
            self._refer()
        if _OWNERS.search(sql):
            self._know_owners()
        wanted = set(_NAMED.findall(sql))
        given = {name: value for name, value in parameters.items() if name in wanted}
        return self._backend.query(sql, given)

    def _open(self, selection: Selection) -> None:
        backend = self._backend
        folders = selection.history
        manifests = [read_manifest(folder) for folder in folders]
        hidden = {str(number): names for number, names in enumerate(selection.hidden)}
        self._hide({**hidden, views.REFERENCE: selection.reference_hidden})
        self._read("", folders[-1], str(len(folders) - 1))
        self._know()
        self._know_names()
        self._look_back(folders, manifests)
        backend.table("known_flags", views.flags())
        backend.view("known_models", views.known_models())
        self._pass_on()

    def _refer(self) -> None:
        """Make the views of the hub to compare with, when they are first asked for: flags and
        namespaces of a large hub take their time.
        """
        if self._referred:
            return
        of = views.REFERENCE
        self._read(of, self._reference, of)
        given = [read_manifest(self._reference)] if self._reference else []
        self._backend.view(f"{of}snapshots", _looks(given))
        self._know_names(of)
        self._backend.table(f"known_{of}flags", views.flags(of))
        self._backend.view(f"{of}models", views.known_models(of))
        self._pass_on(of)
        self._referred = True

    def _read(self, of: str, folder: Path | None, place: str) -> None:
        """Make `raw_*` of a snapshot; what it does not have, and no snapshot, has no rows."""
        there = read_manifest(folder).tables if folder else {}
        for name, table in TABLES.items():
            rows = self._rows(table, folder if name in there else None)
            self._backend.view(f"raw_{of}{name}", f"{rows}{self._shown(name, place)}")

    def _pass_on(self, of: str = "") -> None:
        self._backend.view(f"{of}lineage", views.lineage(of))
        for name in TABLES:
            if name not in ("models", "lineage"):
                self._backend.view(f"{of}{name}", f"SELECT * FROM raw_{of}{name}")

    def _look_back(self, folders: Sequence[Path], manifests: Sequence[Manifest]) -> None:
        """Make `snapshots` and `history`: what all snapshots say of models."""
        parts = []
        for number, (folder, manifest) in enumerate(zip(folders, manifests, strict=True)):
            there = self._rows(MODELS, folder if MODELS.name in manifest.tables else None)
            there += self._shown(MODELS.name, str(number))
            taken = _taken(manifest)
            parts.append(f"SELECT {number} AS number, {taken} AS taken_at, * FROM ({there}) AS m")
        self._backend.view("snapshots", _looks(manifests))
        self._backend.view("history", views.HISTORY.format(parts=" UNION ALL ".join(parts)))

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
            f"(lower({column}) NOT IN ({known} '{place}')"
            + (f" OR repo_type <> '{repo_type}')" if repo_type else ")")
            for kind, column, repo_type in NAMING.get(table, ((table, "id", ""),))
            if (place := f"{where} {kind}") in self._hidden
        ]
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""

    def _know(self) -> None:
        """Make the small tables of what Hubkeep knows of tasks, former names and trainings."""
        import pyarrow as pa

        known = self._dimensions
        tasks = sorted(known.modalities)
        self._keep("known_tasks", task=tasks, modality=[known.modalities[task] for task in tasks])
        old = sorted(known.aliases)
        self._keep("known_aliases", old=old, new=[known.aliases[name] for name in old])
        models = sorted(known.training)
        trained = [known.training[name] for name in models]
        self._keep(
            "known_training",
            model=models,
            parameters=pa.array([one.parameters for one in trained], pa.int64()),
            tokens=pa.array([one.tokens for one in trained], pa.int64()),
        )

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
        resolved = known.resolved(authors, self._org_types(of))
        self._backend.keep(f"known_{of}namespaces", resolved)

    def _know_owners(self) -> None:
        """Make the table of the types of all namespaces that ever were, of which many may be gone:
        those of events and of earlier snapshots, when they are first asked for.
        """
        if self._knows_owners:
            return
        authors = self._column(
            "SELECT DISTINCT split_part(id, '/', 1) AS author FROM raw_events WHERE id LIKE '%/%' "
            "UNION SELECT author FROM history WHERE author IS NOT NULL "
            "AND (SELECT count(*) FROM snapshots) > 1 ORDER BY 1"
        )
        self._backend.keep("known_owners", self._dimensions.resolved(authors, self._org_types()))
        self._knows_owners = True

    def _org_types(self, of: str = "") -> dict[str, str]:
        """What organisations say of themselves, by name."""
        told = self._backend.query(
            f"SELECT name, org_type FROM raw_{of}accounts WHERE org_type IS NOT NULL", {}
        )
        return dict(zip(told["name"].to_pylist(), told["org_type"].to_pylist(), strict=True))

    def _column(self, sql: str) -> list[str]:
        return self._backend.query(sql, {}).column(0).to_pylist()

    def _keep(self, name: str, **columns: "Sequence[str] | pa.Array | pa.ChunkedArray") -> None:
        import pyarrow as pa

        arrays = {
            key: pa.array(values, pa.string()) if isinstance(values, list) else values
            for key, values in columns.items()
        }
        self._backend.keep(name, pa.table(arrays))

    def _choose(self, k: int, rule: str) -> None:
        """Make `universe` what the parameters say."""
        if (k, rule) == self._universe:
            return
        backend = self._backend
        backend.table("universe_places", views.places(rule, k))
        if k <= IN_MEMORY:
            backend.table("universe_rows", views.UNIVERSE)
            backend.view("universe", "SELECT * FROM universe_rows")
        else:
            backend.view("universe", views.UNIVERSE)
        self._universe = (k, rule)

    def _rows(self, table: Table, folder: Path | None) -> str:
        """The SQL of a table of a snapshot; without a folder it has no rows."""
        if folder is not None:
            return self._backend.scan(folder, table.name)
        nulls = ", ".join(f"CAST(NULL AS {one.kind.value}) AS {one.name}" for one in table.columns)
        none = f"SELECT * FROM (SELECT {nulls}) AS one WHERE false"
        return f"SELECT * FROM ({none}) AS nothing"


def _looks(manifests: Sequence[Manifest]) -> str:
    """The SQL of `snapshots`: when they were taken, numbered from 0."""
    rows = [
        f"SELECT {number} AS number, {_taken(one)} AS taken_at, {quoted(one.id)} AS id"
        for number, one in enumerate(manifests)
    ]
    none = "SELECT 0 AS number, TIMESTAMP '2000-01-01 00:00:00' AS taken_at, '' AS id"
    return " UNION ALL ".join(rows) or f"SELECT * FROM ({none}) AS nothing WHERE false"


def _taken(manifest: Manifest) -> str:
    return f"TIMESTAMP {quoted(manifest.taken_at[:19].replace('T', ' '))}"
