# SPDX-License-Identifier: Apache-2.0
"""What moved between two snapshots: which counters grew and fell, what is new, who entered the top.

A counter that stands out moves nothing: it is told by name, and left out of all lists and sums.
"""

from collections.abc import Mapping
from typing import Final

from hubkeep.observatory.reader.wire import AskMovers, MoverOf, MoversOf
from hubkeep.observatory.session import Session

LISTED: Final = 25
TOP: Final = 100

# Of several rows under names that are one model's, its present one counts. A counter stands out by
# the rules of all figures, or if the later snapshot has taken back what the earlier one said: it is
# less than a tenth, with the same likes.
_MOVED: Final = f"""
WITH earlier AS (
  SELECT h.model, h.id, h.downloads_30d AS dl, h.likes FROM history AS h WHERE h.number = 0
),
before AS (
  SELECT e.model AS id, e.dl, e.likes FROM earlier AS e
  LEFT JOIN earlier AS p
    ON p.model = e.model AND e.id <> e.model AND (p.id = p.model OR p.id < e.id)
  WHERE p.id IS NULL
),
later AS (
  SELECT coalesce(a.new, m.id) AS model, m.id, m.namespace, m.downloads_30d AS dl, m.likes,
    m.created_at, m.is_flagged
  FROM models AS m LEFT JOIN known_aliases AS a ON a.old = m.id
),
after AS (
  SELECT l.model AS id, l.namespace, l.dl, l.likes, l.created_at, l.is_flagged FROM later AS l
  LEFT JOIN later AS p
    ON p.model = l.model AND l.id <> l.model AND (p.id = p.model OR p.id < l.id)
  WHERE p.id IS NULL
),
total AS (
  SELECT sum(dl) AS dl FROM before
),
moved AS MATERIALIZED (
  SELECT coalesce(a.id, b.id) AS id, a.id IS NULL AS is_gone, b.id IS NULL AS is_new,
    coalesce(a.namespace, split_part(b.id, '/', 1)) AS namespace, a.dl, b.dl AS dl_before, a.likes,
    a.created_at,
    coalesce(a.is_flagged, false)
      OR coalesce(b.dl >= 100 AND b.dl > 10 * a.dl AND b.dl > t.dl / 10000
        AND abs(a.likes - b.likes) <= 0.01 * b.likes, false) AS is_flagged
  FROM after AS a FULL JOIN before AS b ON b.id = a.id CROSS JOIN total AS t
),
counted AS (
  SELECT *, dl - dl_before AS gain FROM moved WHERE NOT is_flagged
),
top_before AS (
  SELECT id, row_number() OVER (ORDER BY dl_before DESC, id) AS place FROM (
    SELECT id, dl_before FROM counted WHERE dl_before > 0 ORDER BY dl_before DESC, id LIMIT {TOP}
  ) AS t
),
top_after AS (
  SELECT id, row_number() OVER (ORDER BY dl DESC, id) AS place FROM (
    SELECT id, dl FROM counted WHERE dl > 0 ORDER BY dl DESC, id LIMIT {TOP}
  ) AS t
),
owners AS (
  SELECT namespace AS id, CAST(sum(dl) AS BIGINT) AS dl, CAST(sum(dl_before) AS BIGINT) AS before,
    count(*) FILTER (WHERE NOT is_gone) AS n
  FROM counted GROUP BY namespace
)
"""

_LISTS: Final[Mapping[str, str]] = {
    "gained": "SELECT id, dl_before, dl, likes AS n, created_at, gain AS rank FROM counted "
    "WHERE gain > 0",
    "grown": "SELECT id, dl_before, dl, likes, created_at, CAST(dl AS DOUBLE) / dl_before "
    "FROM counted WHERE gain > 0 AND dl_before >= $least",
    "fallen": "SELECT id, dl_before, dl, likes, created_at, -gain FROM counted WHERE gain < 0",
    "new": "SELECT id, dl_before, dl, likes, created_at, coalesce(dl, -1) FROM counted "
    "WHERE is_new",
    "entered": "SELECT c.id, c.dl_before, c.dl, a.place, c.created_at, -a.place "
    "FROM top_after AS a JOIN counted AS c ON c.id = a.id LEFT JOIN top_before AS b ON b.id = a.id "
    "WHERE b.id IS NULL",
    "left": "SELECT c.id, c.dl_before, c.dl, b.place, c.created_at, -b.place FROM top_before AS b "
    "JOIN counted AS c ON c.id = b.id LEFT JOIN top_after AS a ON a.id = b.id WHERE a.id IS NULL",
    "organisations": "SELECT id, before, dl, n, CAST(NULL AS TIMESTAMP), dl FROM owners "
    "WHERE dl > 0",
    "flagged": "SELECT id, dl_before, dl, likes, created_at, greatest(dl, dl_before) FROM moved "
    "WHERE is_flagged",
}
"""The lists by name: id, count before, count now, another number (likes, place, how many), when it
was made, and what the list is ordered by.
"""

_COUNTS: Final = """
SELECT 'counts', unnest(['n', 'n_new', 'n_gone', 'n_flagged', 'n_compared']),
  NULL, unnest([n, n_new, n_gone, n_flagged, n_compared]), NULL, NULL, 0
FROM (SELECT count(*) FILTER (WHERE NOT is_gone) AS n, count(*) FILTER (WHERE is_new) AS n_new,
  count(*) FILTER (WHERE is_gone) AS n_gone, count(*) FILTER (WHERE is_flagged) AS n_flagged,
  count(*) FILTER (WHERE dl IS NOT NULL AND dl_before IS NOT NULL AND NOT is_flagged) AS n_compared
FROM moved) AS c
"""

_FAMILIES: Final = f"""
SELECT l.parent AS id, count(DISTINCT l.child) AS n,
  count(DISTINCT l.child) FILTER (WHERE h.id IS NULL) AS n_new
FROM lineage AS l
JOIN raw_models AS m ON m.id = l.child
LEFT JOIN (SELECT DISTINCT model AS id FROM history WHERE number = 0) AS h ON h.id = l.child
GROUP BY l.parent
ORDER BY n DESC, n_new DESC, l.parent LIMIT {LISTED}
"""


def movers(session: Session, ask: AskMovers) -> MoversOf:
    """Return what moved from the first snapshot of the shelf to the second."""
    engine = session.engine
    parts = " UNION ALL ".join(
        f"(SELECT '{name}' AS list, * FROM ({sql}) AS t (id, before, after, n, made, rank) "
        f"ORDER BY rank DESC, id LIMIT {LISTED})"
        for name, sql in _LISTS.items()
    )
    sql = f"{_MOVED} {parts} UNION ALL {_COUNTS}"
    rows = engine.query(sql, {"least": ask.least}).to_pylist()
    counts = {row["id"]: row["after"] for row in rows if row["list"] == "counts"}
    lists: dict[str, list[MoverOf]] = {name: [] for name in _LISTS}
    for row in sorted(rows, key=lambda row: (-row["rank"], row["id"])):
        if row["list"] == "counts":
            continue
        made = row["made"].date().isoformat() if row["made"] else None
        lists[row["list"]].append(
            MoverOf(
                id=row["id"], before=row["before"], after=row["after"], number=row["n"], made=made
            )
        )
    families = engine.query(_FAMILIES, {}).to_pylist()
    lists["families"] = [
        MoverOf(id=row["id"], before=row["n"] - row["n_new"], after=row["n"]) for row in families
    ]
    return MoversOf(lists=lists, **counts)
