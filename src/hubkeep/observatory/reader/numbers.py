# SPDX-License-Identifier: Apache-2.0
"""What there is to know of a snapshot at a glance. Each number is by the rules of the figure that
says more of it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from hubkeep.observatory.engine import Engine
from hubkeep.observatory.manifest import Manifest
from hubkeep.observatory.reader.wire import NumberOf

_RECENT_DAYS: Final = 30

_COUNTS: Final = "SELECT (SELECT count(*) FROM raw_{}) AS n"

_MODELS: Final = f"""
SELECT count(*) AS n,
  count(DISTINCT m.author) AS authors,
  count(m.downloads_30d) AS counted,
  CAST(sum(m.downloads_30d) AS BIGINT) AS downloads,
  CAST(sum(m.downloads_30d) FILTER (WHERE f.id IS NOT NULL) AS BIGINT) AS flagged_downloads,
  count(*) FILTER (WHERE m.downloads_30d = 0) AS idle,
  count(f.id) AS flagged,
  count(m.license) AS licensed,
  count(m.co2_grams) AS reporting,
  count(m.created_at) AS dated,
  count(*) FILTER (WHERE m.created_at > s.taken_at - INTERVAL {_RECENT_DAYS} DAY) AS recent
FROM raw_models AS m
LEFT JOIN known_flags AS f ON f.id = m.id
CROSS JOIN (SELECT taken_at FROM snapshots ORDER BY number DESC LIMIT 1) AS s
"""


def numbers_of(engine: Engine, snapshot: Manifest) -> Sequence[NumberOf]:
    """Return the numbers, in the order in which they are shown."""
    found = [_table(engine, snapshot, name) for name in ("models", "datasets", "spaces")]
    if "models" not in snapshot.tables:
        return found
    row = engine.query(_MODELS, {}).to_pylist()[0]
    told = {name: row[name] or 0 for name in row}
    return [*found, *(_without(one, snapshot) for one in _of_models(told))]


def _of_models(told: Mapping[str, int]) -> Sequence[tuple[NumberOf, Sequence[str]]]:
    """Each number, and the columns that it is made of."""
    n, of = told["n"], "models"
    recent = NumberOf(
        name="recent",
        title=f"Models made in the last {_RECENT_DAYS} days",
        value=told["recent"],
        n=told["dated"],
        of="models with a date",
        note="of those that are still there",
        figure="F1",
    )
    authors = NumberOf(
        name="authors",
        title="Namespaces with models",
        value=told["authors"],
        n=n,
        of=of,
        figure="F3",
    )
    licensed = NumberOf(
        name="licensed_share",
        title="Models that name a licence",
        value=_part(told["licensed"], n),
        unit="share",
        n=n,
        of=of,
        figure="S1",
    )
    reporting = NumberOf(
        name="reporting_rate",
        title="Models that report emissions",
        value=_part(told["reporting"], n),
        unit="share",
        n=n,
        of=of,
        note=f"{told['reporting']:,} models",
        figure="F5",
    )
    return [
        (authors, ("author",)),
        (recent, ("created_at",)),
        *((one, ("downloads_30d",)) for one in _of_downloads(told)),
        (licensed, ("license",)),
        (reporting, ("co2_grams",)),
    ]


def _of_downloads(told: Mapping[str, int]) -> Sequence[NumberOf]:
    counted, downloads, flagged = told["counted"], told["downloads"], told["flagged_downloads"]
    return [
        NumberOf(
            name="downloads_30d",
            title="Downloads in 30 days",
            value=downloads - flagged,
            n=counted - told["flagged"],
            of="models, without counters that stand out",
            note=f"{downloads:,} with them" if told["flagged"] else "",
            figure="B1",
        ),
        NumberOf(
            name="flagged_share",
            title="Of all downloads, claimed by counters that stand out",
            value=_part(flagged, downloads),
            unit="share",
            n=counted,
            of="models",
            note=f"{told['flagged']:,} counters",
            figure="B1",
        ),
        NumberOf(
            name="idle_share",
            title="Models without a download in 30 days",
            value=_part(told["idle"], counted),
            unit="share",
            n=counted,
            of="models",
            figure="B1",
        ),
    ]


def _table(engine: Engine, snapshot: Manifest, name: str) -> NumberOf:
    """How many rows a table has: as many as are shown, which may be fewer than were taken."""
    title = name.capitalize()
    if name not in snapshot.tables:
        return NumberOf(name=name, title=title, value=None, missing=[name])
    n = engine.query(_COUNTS.format(name), {})["n"][0].as_py()
    return NumberOf(name=name, title=title, value=n, n=n, of=name)


def _without(told: tuple[NumberOf, Sequence[str]], snapshot: Manifest) -> NumberOf:
    """The number, or that there is none where the source does not have what it is made of."""
    number, columns = told
    absent = [name for name in columns if name in snapshot.tables["models"].missing]
    if not absent:
        return number
    missing = [f"models.{name}" for name in absent]
    return NumberOf(name=number.name, title=number.title, value=None, missing=missing)


def _part(part: int, whole: int) -> float | None:
    return part / whole if whole else None
