# SPDX-License-Identifier: Apache-2.0
"""What became of repositories and accounts: a few rows of each of many snapshots.

The files are sorted by id, so that a row is found without reading a file through: DuckDB looks into
that part alone in which it can be.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hubkeep.observatory.dimensions import Dimensions
from hubkeep.observatory.duck import Duck
from hubkeep.observatory.engine import Names
from hubkeep.observatory.reader.places import places_of
from hubkeep.observatory.reader.wire import AskCourse, CourseOf, PointOf, RepositoryOf
from hubkeep.observatory.session import Place
from hubkeep.observatory.workbench import quoted

LARGEST: Final = 20
"""Repositories of an account that are named."""

_COUNTERS: Final = ("downloads_30d", "downloads_all", "likes")
_SUMS: Final = ", ".join(f"CAST(sum({one}) AS BIGINT) AS {one}" for one in _COUNTERS)


@dataclass(frozen=True, slots=True)
class _Part:
    """A table of a snapshot that has it: the place of the snapshot in its series, the file, and
    what is not to be read.
    """

    number: int
    file: Path
    hidden: Names

    def shows(self, table: str, name: str) -> bool:
        return name.lower() not in self.hidden.get(table, ())

    def without(self, table: str) -> str:
        """The condition that leaves out what is hidden, to stand after another."""
        ids = self.hidden.get(table, ())
        return f" AND lower(id) NOT IN ({_listed(ids)})" if ids else ""


def courses(duck: Duck, ask: AskCourse) -> list[CourseOf]:
    """Return what the snapshots say of each name. BrokenSnapshot."""
    known = (
        Dimensions() if ask.shelf.tables is None else Dimensions.with_own(Path(ask.shelf.tables))
    )
    places = places_of(ask.shelf)
    parts = list(_parts(places.history, places.hidden, ask.table))
    if ask.by == "id":
        return _of_repositories(duck, ask, known, parts)
    return [_of_account(duck, ask, known, parts, name) for name in ask.names]


def _parts(history: Sequence[Place], hidden: Sequence[Names], table: str) -> Iterator[_Part]:
    for number, place in enumerate(history):
        if table in place.manifest.tables:
            names = hidden[number] if number < len(hidden) else {}
            yield _Part(number, place.folder / f"{table}.parquet", names)


def _of_repositories(
    duck: Duck, ask: AskCourse, known: Dimensions, parts: Sequence[_Part]
) -> list[CourseOf]:
    now = [known.aliases.get(name, name) for name in ask.names]
    # By all names that they have had; what has a row under its present name is not looked up
    # under a former one, which may be another's by then.
    former = {old: new for old, new in known.aliases.items() if new in now}
    wanted = [*now, *former]
    rows = _union(
        duck,
        [
            f"SELECT {one.number} AS number, id, {', '.join(_COUNTERS)} FROM {quoted(one.file)} "
            f"WHERE id IN ({_listed(wanted)})"
            for one in parts
        ],
    )
    by_number = {one.number: one for one in parts}
    found: dict[tuple[int, str], Mapping[str, int | None]] = {}
    for row in sorted(rows, key=lambda row: row["id"] not in now):
        name = str(row["id"])
        if by_number[row["number"]].shows(ask.table, name):
            counters = {one: row[one] for one in _COUNTERS}
            found.setdefault((row["number"], former.get(name, name)), counters)
    places = _places(duck, ask.table, parts, found)
    return [
        CourseOf(
            name=name,
            points=[
                PointOf(**found[number, name], **places.get((number, name), {}))
                if (number, name) in found
                else None
                for number in range(len(ask.shelf.history))
            ],
        )
        for name in now
    ]


def _places(
    duck: Duck,
    table: str,
    parts: Sequence[_Part],
    found: Mapping[tuple[int, str], Mapping[str, int | None]],
) -> dict[tuple[int, str], dict[str, int | None]]:
    """Return rank and ranked of what has a counter."""
    selects, columns = [], 0
    counted: dict[int, list[tuple[str, int]]] = {}
    for (number, name), row in found.items():
        if row["downloads_30d"] is not None:
            counted.setdefault(number, []).append((name, row["downloads_30d"]))
            columns = max(columns, len(counted[number]))
    for one in parts:
        if one.number not in counted:
            continue
        sums = [f"count(*) FILTER (WHERE downloads_30d > {n})" for _, n in counted[one.number]]
        sums += ["NULL"] * (columns - len(sums))
        more = ", ".join(f"{value} AS more_{at}" for at, value in enumerate(sums))
        selects.append(
            f"SELECT {one.number} AS number, count(*) AS ranked, {more} FROM {quoted(one.file)} "
            f"WHERE downloads_30d IS NOT NULL{one.without(table)}"
        )
    places: dict[tuple[int, str], dict[str, int | None]] = {}
    for row in _union(duck, selects):
        for at, (name, _) in enumerate(counted[row["number"]]):
            places[row["number"], name] = {"rank": row[f"more_{at}"] + 1, "ranked": row["ranked"]}
    return places


def _of_account(
    duck: Duck, ask: AskCourse, known: Dimensions, parts: Sequence[_Part], asked: str
) -> CourseOf:
    name = known.renames.get(asked, asked)
    shown = [one for one in parts if one.shows("accounts", name)]
    whose = _whose(known, name)
    sums = _union(
        duck,
        [
            f"SELECT {one.number} AS number, count(*) AS repositories, {_SUMS} "
            f"FROM {quoted(one.file)} WHERE {whose}{one.without(ask.table)}"
            for one in shown
        ],
    )
    found = {row.pop("number"): row for row in sums if row["repositories"]}
    ranked = [
        one for one in shown if (found.get(one.number) or {}).get("downloads_30d") is not None
    ]
    for row in _union(duck, [_rank_of(one, ask.table, found[one.number]) for one in ranked]):
        found[row.pop("number")] |= row
    last = next((one for one in reversed(shown) if one.number in found), None)
    return CourseOf(
        name=name,
        points=[
            PointOf(**found[number]) if number in found else None
            for number in range(len(ask.shelf.history))
        ],
        largest=[] if last is None else _largest(duck, ask.table, last, whose),
    )


def _whose(known: Dimensions, name: str) -> str:
    """The condition for what belongs to an account: by its names, and by old ids without one."""
    names = [name, *(old for old, new in known.renames.items() if new == name)]
    bare = [
        old
        for old, new in known.aliases.items()
        if "/" not in old and new.partition("/")[0] == name
    ]
    ids = f" OR (author IS NULL AND id IN ({_listed(bare)}))" if bare else ""
    return f"(author IN ({_listed(names)}){ids})"


def _rank_of(part: _Part, table: str, row: Mapping[str, int | None]) -> str:
    """The SQL of where a sum stands among those of all accounts."""
    return (
        f"SELECT {part.number} AS number, "
        f"count(*) FILTER (WHERE n > {row['downloads_30d']}) + 1 AS rank, count(*) AS ranked "
        f"FROM (SELECT sum(downloads_30d) AS n FROM {quoted(part.file)} WHERE author IS NOT NULL "
        f"AND downloads_30d IS NOT NULL{part.without(table)} GROUP BY author) AS sums"
    )


def _largest(duck: Duck, table: str, part: _Part, whose: str) -> list[RepositoryOf]:
    sql = (
        f"SELECT id, {', '.join(_COUNTERS)} FROM {quoted(part.file)} "
        f"WHERE {whose}{part.without(table)} "
        f"ORDER BY downloads_30d DESC NULLS LAST, likes DESC NULLS LAST, id LIMIT {LARGEST}"
    )
    return [RepositoryOf(**row) for row in duck.query(sql, {}).to_pylist()]


def _union(duck: Duck, selects: Sequence[str]) -> list[dict]:
    return duck.query(" UNION ALL ".join(selects), {}).to_pylist() if selects else []


def _listed(names: Collection[str]) -> str:
    return ", ".join(quoted(name) for name in names)
