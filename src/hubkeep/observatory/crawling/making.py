# SPDX-License-Identifier: Apache-2.0
"""Pages that were kept, as the tables of a snapshot.

Rows go through the database in batches, so that memory does not grow with the hub; what they mean
is told by the SQL that imports read lists of repositories with.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hubkeep.observatory.crawling import accounts
from hubkeep.observatory.crawling.failure import Nothing
from hubkeep.observatory.crawling.kept import Kept
from hubkeep.observatory.crawling.lists import LISTS, Table
from hubkeep.observatory.imports.api import api_shape
from hubkeep.observatory.imports.known import with_emissions, with_names
from hubkeep.observatory.imports.reading import Opened
from hubkeep.observatory.workbench import quoted
from hubkeep.observatory.writing import Prepared, Written, prepare, write_prepared

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BATCH: Final = 32 << 20
_LINE: Final = 4 << 20
_PIECE: Final = 50_000
_NUMBER: Final = "_n"
_ACCOUNT: Final = ("name", "kind", "org_type", "fullname", "created_at", *accounts.COUNTS)


class Pages:
    """The pages of a crawl in a database; `folder` is where it may write."""

    def __init__(self, connection: "DuckDBPyConnection", kept: Kept, folder: Path) -> None:
        self._run = connection.execute
        self._connection = connection
        self._kept = kept
        self._folder = folder

    def know(self, tables: Sequence[Table]) -> list[Table]:
        """Make the table `told`: the ids of all rows, numbered, by list; return which lists are
        there.

        A row whose id comes again later is `old`: the pages shifted, and the later one counts.
        """
        import pyarrow as pa

        self._run("CREATE TEMP TABLE every (list VARCHAR, n BIGINT, id VARCHAR, downloads BIGINT)")
        there: list[Table] = []
        for table in tables:
            n = 0
            for ids, downloads in self._ids(table, there):
                columns = {
                    "n": pa.array(range(n, n + len(ids)), pa.int64()),
                    "id": pa.array(ids, pa.string()),
                    "downloads": pa.array(downloads, pa.int64()),
                }
                self._connection.register("page", pa.table(columns))
                self._run(f"INSERT INTO every SELECT '{table}', n, id, downloads FROM page")
                self._connection.unregister("page")
                n += len(ids)
        self._run(
            "CREATE TEMP TABLE told AS "
            "SELECT *, n < max(n) OVER (PARTITION BY list, id) AS old FROM every"
        )
        self._run("DROP TABLE every")
        return there

    def _ids(
        self, table: Table, there: list[Table]
    ) -> Iterator[tuple[Sequence[str], Sequence[int]]]:
        """Yield ids and downloads of a list in pieces; add it to `there` if the hub has it."""
        ids: list[str] = []
        downloads: list[int] = []
        for head in self._kept.heads(table):
            if not head.is_absent and table not in there:
                there.append(table)
            ids += head.ids
            downloads += head.downloads
            if len(ids) >= _PIECE:
                yield ids, downloads
                ids, downloads = [], []
        yield ids, downloads

    def namespaces(self, most: int) -> list[str]:
        """Return whose repositories they are, most downloads first, at most so many."""
        found = self._run(
            "SELECT split_part(id, '/', 1) AS name FROM told "
            "WHERE contains(id, '/') AND NOT old GROUP BY name "
            f"ORDER BY sum(downloads) DESC, count(*) DESC, name LIMIT {most}"
        )
        return [name for (name,) in found.fetchall()]

    def count_namespaces(self) -> int:
        """Return how many there are."""
        return self._number(
            "SELECT count(DISTINCT split_part(id, '/', 1)) FROM told WHERE contains(id, '/')"
        )

    def twice(self, table: Table) -> int:
        """Return how many rows of a list came again."""
        return self._number(f"SELECT count(*) FROM told WHERE list = '{table}' AND old")

    def load(self, table: Table) -> Sequence[str]:
        """Put what the rows of a list tell into tables `loaded_*`; return what a reader must know.

        Rows of further lists are added to those of labels.
        """
        told = {field for head in self._kept.heads(table) for field in head.told}
        fields = ["id", *(field for field in LISTS[table].fields if field in told)]
        shape = api_shape(Opened(f"{table}.jsonl", "JSON", dict.fromkeys(fields, "JSON"), 0))
        if shape is None and not told:
            self._add(table, "SELECT CAST(NULL AS VARCHAR) AS id WHERE false")
            return ()
        if shape is None:
            raise Nothing(f"the list of {table} tells of no downloads, likes, tags or dates")
        self._run(
            f"CREATE OR REPLACE TEMP TABLE old AS SELECT n FROM told WHERE list = '{table}' AND old"
        )
        for path in self._batches(table):
            self._read(path, [_NUMBER, *fields], f"WHERE {_NUMBER} NOT IN (FROM old)")
            for name, select in shape.tables.items():
                self._add(name, select)
        self._run("DROP VIEW source")
        self._run("DROP TABLE source_rows")
        return shape.notes

    def load_accounts(self) -> bool:
        """Put the accounts into `loaded_accounts`; False where the hub tells of none."""
        path = self._folder / "accounts.jsonl"
        with path.open("wb") as file:
            for _, lines in self._kept.pages(accounts.NAME):
                file.writelines(line + b"\n" for line in lines)
        if not path.stat().st_size:
            return False
        self._read(path, _ACCOUNT, "")
        self._run("CREATE TEMP TABLE loaded_accounts AS SELECT * FROM source")
        return True

    def short(self, tables: Sequence[Table]) -> tuple[int, int]:
        """Return how many accounts say that they have more than the lists, and how many more."""
        parts = [
            f"SELECT name, said - coalesce(n, 0) AS lacking FROM (SELECT name ->> '$' AS name, "
            f"TRY_CAST({table} AS BIGINT) AS said FROM loaded_accounts) LEFT JOIN "
            "(SELECT split_part(id, '/', 1) AS owner, count(*) AS n FROM told "
            f"WHERE list = '{table}' AND NOT old AND contains(id, '/') GROUP BY owner) "
            "ON owner = name"
            for table in tables
        ]
        return self._run(
            "SELECT count(DISTINCT name), CAST(coalesce(sum(lacking), 0) AS BIGINT) "
            f"FROM ({' UNION ALL '.join(parts)}) WHERE lacking > 0"
        ).fetchall()[0]

    def write(self, table: str, taken_at: str, left_out: Mapping[str, int]) -> Written:
        """Write a table of the snapshot from what was loaded, which is gone then."""
        source = f"SELECT * FROM loaded_{table}"
        columns = {row[0] for row in self._run(f"DESCRIBE loaded_{table}").fetchall()}
        if "size" in columns and not self._number(f"SELECT count(size) FROM loaded_{table}"):
            # Lists of files come without sizes, and only some hubs say how much they are together.
            source = f"SELECT * EXCLUDE (size) FROM loaded_{table}"
        given = with_emissions(self._connection, source) if table == "models" else source
        part = prepare(self._connection, table, given, taken_at, f"clean_{table}")
        self._run(f"DROP TABLE loaded_{table}")
        if table == "models":
            part = with_names(self._connection, part)
        part = _without(part, left_out)
        return write_prepared(self._connection, table, [part], self._folder)

    def loaded(self) -> list[str]:
        """Return which tables were loaded."""
        found = self._run(
            "SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, 'loaded_')"
        )
        return sorted(name.removeprefix("loaded_") for (name,) in found.fetchall())

    def _batches(self, table: Table) -> Iterator[Path]:
        """Yield a file with rows of a list, each with its number, again and again."""
        path = self._folder / "batch.jsonl"
        n, size = 0, 0
        file = path.open("wb")
        try:
            for _, lines in self._kept.pages(table):
                for line in lines:
                    size += file.write(b'{"%s":%d,%s\n' % (_NUMBER.encode(), n, line[1:]))
                    n += 1
                if size > _BATCH:
                    file.close()
                    yield path
                    file, size = path.open("wb"), 0
            file.close()
            if size:
                yield path
        finally:
            file.close()

    def _read(self, path: Path, fields: Sequence[str], where: str) -> None:
        """Make the view `source` of the lines of a file, each field as JSON."""
        kinds = {name: "BIGINT" if name == _NUMBER else "JSON" for name in fields}
        columns = ", ".join(f"{quoted(name)}: '{kind}'" for name, kind in kinds.items())
        self._run("DROP VIEW IF EXISTS source")
        self._run(
            "CREATE OR REPLACE TEMP TABLE source_rows AS SELECT * FROM read_json("
            f"{quoted(path.resolve())}, format = 'newline_delimited', columns = {{{columns}}}, "
            f"compression = 'none', maximum_object_size = {_LINE}) {where}"
        )
        self._run("CREATE TEMP VIEW source AS SELECT * FROM source_rows")

    def _add(self, table: str, select: str) -> None:
        if table in self.loaded():
            self._run(f"INSERT INTO loaded_{table} {select}")
        else:
            self._run(f"CREATE TEMP TABLE loaded_{table} AS {select}")

    def _number(self, sql: str) -> int:
        ((number,),) = self._run(sql).fetchall()
        return number


def _without(part: Prepared, left_out: Mapping[str, int]) -> Prepared:
    """Count what was left out before, beside what cleaning left out."""
    excluded = Counter(left_out)
    excluded.update(part.excluded)
    return replace(part, excluded=dict(+excluded))
