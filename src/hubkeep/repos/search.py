# SPDX-License-Identifier: Apache-2.0
"""Pages of lists over any number of repositories, each for a bounded amount of work.

Measured in docs/decisions/0005. A list in which much of the hub belongs fills its page from the
next few rows of the sort index. Where it does not, the terms are intersected: if few repositories
have them all, those are sorted, whatever page it is. If many do and yet the page is not full (the
order and the filter pull apart), the walk goes on to the end of its budget, and the page is shorter
than asked for; its place says where the next one begins, so nothing is left out or told twice. How
many have each tag is known, and says which of the two is tried first, and how far to walk at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from hubkeep.repos import queries_list
from hubkeep.repos.queries_list import Expected
from hubkeep.repos.search_wanted import Place, Side, Viewer, Wanted, sides_of, terms_on


@dataclass(frozen=True, slots=True)
class Budget:
    """How many rows one page may cost."""

    first: int = 1_000
    """Walked before anything else is tried, for each 250 of the page."""
    sorted: int = 3_000
    """Fetched and sorted, for each 250 of the page."""
    walked: int = 40_000
    """Walked in all."""
    many: int = 2_000
    """Of more rows than these it is cheaper to fetch what has the terms than to look up each."""


@dataclass(frozen=True, slots=True)
class Page:
    """Ids of repositories in order; `next` is where the list goes on, None at its end."""

    ids: tuple[int, ...]
    next: Place | None


@dataclass(frozen=True, slots=True)
class _Run:
    """Places on one side: all of the list up to `until`, or to its end where that is None."""

    places: Sequence[Place]
    until: Place | None


def find_page(
    conn: Connection,
    viewer: Viewer,
    wanted: Wanted,
    limit: int,
    after: Place | None = None,
    budget: Budget | None = None,
) -> Page:
    """Return up to `limit` repositories of a list after a place, as far as `viewer` may see them.

    A page may be short, even empty, and still have a next one. What others own in private changes
    neither pages nor places.
    """
    if wanted.is_impossible:
        return Page((), None)
    queries_list.prepare(conn)
    scale = 1 + limit // 250
    budget = budget or Budget()
    budget = replace(budget, first=budget.first * scale, sorted=budget.sorted * scale)
    runs = [_run(conn, side, wanted, after, limit + 1, budget) for side in sides_of(viewer, wanted)]
    return _merged(runs, wanted, limit)


def _run(
    conn: Connection, side: Side, wanted: Wanted, after: Place | None, limit: int, budget: Budget
) -> _Run:
    if wanted.is_plain:
        places = queries_list.walk(conn, side, wanted, after, limit, limit)
        return _Run(places, places[-1] if len(places) == limit else None)
    likely = queries_list.expected(conn, side, wanted)
    # To fetch and sort a row costs several times what it does to walk by it.
    is_few = likely.count <= budget.sorted // 3 if likely else _is_of_few(side, wanted)
    if is_few and (few := _few(conn, side, wanted, after, limit, budget)):
        return few
    return _walked(conn, side, wanted, after, limit, budget, likely)


def _is_of_few(side: Side, wanted: Wanted) -> bool:
    """Whether a list is within what some owners have, which is seldom much."""
    return wanted.owner_id is not None or side.owners is not None


def _walked(
    conn: Connection,
    side: Side,
    wanted: Wanted,
    after: Place | None,
    limit: int,
    budget: Budget,
    likely: Expected | None,
) -> _Run:
    """Walk on until the page is full, the side is at its end or the budget is spent."""
    found: list[Place] = []
    walked, rows = 0, _first_stretch(limit, budget, likely)
    by_set = rows > budget.many and _is_by_set(conn, side, wanted, likely)
    # One tag was counted; of several, and of words, it is not known how few have them all.
    is_counted = likely is not None and len(terms_on(side, wanted).groups) == 1
    may_be_few = not (is_counted and likely and likely.count > budget.sorted)
    while walked < budget.walked:
        found += queries_list.walk(
            conn, side, wanted, after, rows, limit - len(found), by_set=by_set
        )
        if len(found) == limit:
            return _Run(found, found[-1])
        after = queries_list.place_at(conn, side, wanted, after, rows)
        if after is None:
            return _Run(found, None)
        if walked == 0 and may_be_few:
            few = _few(conn, side, wanted, after, limit - len(found), budget)
            if few is not None:
                return _Run([*found, *few.places], few.until)
        walked += rows
        rows = _stretch(walked, len(found), limit, budget)
        by_set = by_set or (rows > budget.many and _is_by_set(conn, side, wanted, likely))
    return _Run(found, after)


def _is_by_set(conn: Connection, side: Side, wanted: Wanted, likely: Expected | None) -> bool:
    has_terms = bool(terms_on(replace(side, owners=None), wanted).groups)
    return has_terms and queries_list.is_small_set(conn, side, wanted, likely)


def _first_stretch(limit: int, budget: Budget, likely: Expected | None) -> int:
    """How many rows to walk at first: what fills the page if the list is spread evenly."""
    if likely is None:
        return budget.first
    needed = limit * likely.among // max(likely.count, 1) * 3 // 2
    return max(budget.first, min(needed, budget.walked))


def _stretch(walked: int, found: int, limit: int, budget: Budget) -> int:
    """How many rows to walk next: what the page needs if they are as rich as those before."""
    needed = (limit - found) * walked // max(found, 1) * 5 // 4
    return max(budget.first, min(needed, budget.walked - walked))


def _few(
    conn: Connection, side: Side, wanted: Wanted, after: Place | None, limit: int, budget: Budget
) -> _Run | None:
    """All that is left of the list if few repositories have its terms; None if many do."""
    if not terms_on(side, wanted).groups:
        return None
    places = queries_list.sort_few(conn, side, wanted, after, budget.sorted, limit)
    if places is None:
        return None
    return _Run(places, places[-1] if len(places) == limit else None)


def _merged(runs: Sequence[_Run], wanted: Wanted, limit: int) -> Page:
    def rank(place: Place) -> tuple[float, int]:
        return (place.key, place.id) if wanted.ascending else (-place.key, -place.id)

    bounds = [run.until for run in runs if run.until is not None]
    bound = min(bounds, key=rank) if bounds else None
    places = sorted((place for run in runs for place in run.places), key=rank)
    if bound is not None:
        places = [place for place in places if rank(place) <= rank(bound)]
    if len(places) > limit:
        return Page(tuple(place.id for place in places[:limit]), places[limit - 1])
    return Page(tuple(place.id for place in places), bound)
