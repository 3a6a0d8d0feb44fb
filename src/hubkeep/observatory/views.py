# SPDX-License-Identifier: Apache-2.0
"""The views that the SQL of every figure reads, written once for all engines.

Below them lie, as an engine brings them, the tables of the snapshot (`raw_models`, ...),
`snapshots`, `history`, and small tables of what Hubkeep knows (`known_*`). Those of another hub to
compare with are called the same after `reference_`, and are empty where none is given.
"""

from collections.abc import Sequence
from typing import Final

from hubkeep.observatory.dimensions import NONE
from hubkeep.observatory.filters import STAMP, Filters, conditions
from hubkeep.observatory.schema import MODELS

REFERENCE: Final = "reference_"


def known_models(of: str = "") -> str:
    """Return the SQL of models with what Hubkeep knows of them; `of` is "" or REFERENCE."""
    return _KNOWN_MODELS.format(of=of)


def flags(of: str = "") -> str:
    """Return the SQL of `known_flags`: which counters stand out, what they say, and why.

    `of` is "" or REFERENCE.

    Those of another hub are not compared with earlier ones: no history of it is given.
    """
    return _FLAGS.format(of=of, before="false" if of else "true")


def lineage(of: str = "") -> str:
    """Return the SQL of `lineage`: by present names, nothing its own base; `of` as above."""
    return _LINEAGE.format(of=of)


_KNOWN_MODELS: Final = f"""
SELECT m.*,
  coalesce(n.namespace, m.author, '{NONE}') AS namespace,
  coalesce(n.entity, m.author, '{NONE}') AS entity,
  coalesce(n.org_type, 'other') AS org_type,
  coalesce(n.org_type_from, 'none') AS org_type_from,
  coalesce(n.region, 'unknown') AS region,
  coalesce(m.license, '{NONE}') AS license_or_none,
  coalesce(l.license_class, 'none') AS license_class,
  coalesce(m.task, '{NONE}') AS task_or_none,
  coalesce(t.modality, CASE WHEN m.task IS NULL THEN '{NONE}' ELSE 'other' END) AS modality,
  f.id IS NOT NULL AS is_flagged,
  coalesce(CAST(m.created_at AS DATE) = DATE '{STAMP}', false) AS is_censored,
  CAST(date_trunc('month', m.created_at) AS DATE) AS month,
  CAST(date_trunc('quarter', m.created_at) AS DATE) AS quarter
FROM raw_{{of}}models AS m
LEFT JOIN known_{{of}}namespaces AS n ON n.author = coalesce(m.author, '/' || m.id)
LEFT JOIN known_{{of}}licenses AS l ON l.license = m.license
LEFT JOIN known_tasks AS t ON t.task = m.task
LEFT JOIN known_{{of}}flags AS f ON f.id = m.id
"""

DERIVED: Final = (
    "namespace",
    "entity",
    "org_type",
    "org_type_from",
    "region",
    "license_or_none",
    "license_class",
    "task_or_none",
    "modality",
    "is_flagged",
    "is_censored",
    "month",
    "quarter",
)
"""What the view has besides the columns of the snapshot."""

_NOT_KEPT: Final = {
    "namespace": ("nullif(namespace, author)", "coalesce(namespace, author)"),
    "entity": ("nullif(entity, author)", "coalesce(entity, author)"),
    "org_type": ("nullif(org_type, 'other')", "coalesce(org_type, 'other')"),
    "org_type_from": ("nullif(org_type_from, 'none')", "coalesce(org_type_from, 'none')"),
    "region": ("nullif(region, 'unknown')", "coalesce(region, 'unknown')"),
    "license_or_none": ("", f"coalesce(license, '{NONE}')"),
    "task_or_none": ("", f"coalesce(task, '{NONE}')"),
    "is_censored": ("", f"coalesce(CAST(created_at AS DATE) = DATE '{STAMP}', false)"),
    "month": ("", "CAST(date_trunc('month', created_at) AS DATE)"),
    "quarter": ("", "CAST(date_trunc('quarter', created_at) AS DATE)"),
}
"""What of DERIVED can be told from other columns, or is the same for most models: what is kept
instead, if anything, and how it is told from that.
"""

TO_SETTLE: Final = "SELECT {} FROM known_models".format(
    ", ".join(
        f"{kept} AS {name}"
        for name in (*MODELS.names, *DERIVED)
        if (kept := _NOT_KEPT.get(name, (name, name))[0])
    )
)
"""What is kept of `known_models` where it is not to be looked up each time: to write a column that
says little takes as long as one that says much.
"""

SETTLED: Final = "SELECT {} FROM settled_models".format(
    ", ".join(
        f"{_NOT_KEPT[name][1]} AS {name}" if name in _NOT_KEPT else name
        for name in (*MODELS.names, *DERIVED)
    )
)
"""`known_models` as it was, from what was kept."""

RULES: Final = ("downloads_30d", "downloads_all", "likes", "trending")
UNION: Final = "union"
UNION_OF: Final = ("downloads_30d", "likes", "trending")

UNIVERSE: Final = "SELECT m.*, p.place FROM models AS m JOIN universe_places AS p ON p.id = m.id"


def models(filters: Filters) -> str:
    """Return the SQL of the view `models`: those of `known_models` that the reader asks about."""
    kept = [condition.sql for condition in conditions(filters)]
    where = f" WHERE {' AND '.join(kept)}" if kept else ""
    if filters.flagged != "keep":
        return f"SELECT * FROM known_models{where}"
    columns = (*MODELS.names, *(name for name in DERIVED if name != "is_flagged"))
    return f"SELECT {', '.join(columns)}, false AS is_flagged FROM known_models{where}"


def places(rule: str, k: int) -> str:
    """Return the SQL of `universe_places` (id, place): the top `k` models by a rule, ties by id.

    The rule `union` takes the top k by each of UNION_OF, as far as the source has them, placed by
    downloads.
    """
    if rule != UNION:
        return (
            f"SELECT id, row_number() OVER (ORDER BY {rule} DESC, id) AS place "
            f"FROM ({_top(rule, k)}) AS top"
        )
    parts = " UNION ".join(f"SELECT id FROM ({_top(one, k)}) AS by_{one}" for one in UNION_OF)
    return (
        "SELECT m.id, row_number() OVER (ORDER BY m.downloads_30d DESC NULLS LAST, m.id) AS place "
        f"FROM models AS m JOIN ({parts}) AS chosen ON chosen.id = m.id"
    )


def _top(rule: str, k: int) -> str:
    return (
        f"SELECT id, {rule} FROM models WHERE {rule} IS NOT NULL ORDER BY {rule} DESC, id LIMIT {k}"
    )


def needed(rule: str) -> Sequence[str]:
    """Return the columns of models without which there is no universe by a rule."""
    return ("downloads_30d", "likes") if rule == UNION else (rule,)


_LINEAGE: Final = """
SELECT DISTINCT coalesce(c.new, e.child) AS child, coalesce(p.new, e.parent) AS parent, e.relation
FROM raw_{of}lineage AS e
LEFT JOIN known_aliases AS c ON c.old = e.child
LEFT JOIN known_aliases AS p ON p.old = e.parent
WHERE coalesce(c.new, e.child) <> coalesce(p.new, e.parent)
"""

# What is flagged: see `figures` in the documentation of the observatory. A counter that stands out
# is shown, marked, and left out of shares. Small numbers are no sign of anything: of a handful of
# models each holds more than 5%, and four with 3 downloads each are no copies of one counter.
_FLAGS: Final = """
WITH total AS (
  SELECT sum(downloads_30d) AS dl, count(*) FILTER (WHERE downloads_30d > 0) AS n
  FROM raw_{of}models
),
large AS (
  SELECT m.id, m.author, m.downloads_30d AS dl, m.likes AS likes
  FROM raw_{of}models AS m CROSS JOIN total AS t
  WHERE m.downloads_30d >= 100 AND m.downloads_30d > t.dl / 10000
),
before AS (
  SELECT model AS id, downloads_30d AS dl, likes FROM history
  WHERE {before} AND number = (SELECT max(number) - 1 FROM snapshots)
),
told AS (
  SELECT m.id, 1 AS rule, 'more than 5% of all downloads' AS reason
  FROM raw_{of}models AS m CROSS JOIN total AS t
  WHERE m.downloads_30d > 0.05 * t.dl AND m.downloads_30d > 3 * (t.dl / t.n)
  UNION ALL
  SELECT m.id, 2, 'more than ten times its count in the snapshot before, with the same likes'
  FROM large AS m JOIN before AS b ON b.id = m.id
  WHERE b.dl > 0 AND m.dl > 10 * b.dl
    AND (m.likes = b.likes OR abs(m.likes - b.likes) < 0.01 * b.likes)
  UNION ALL
  SELECT a.id, 3, 'the same count as three others of its namespace'
  FROM large AS a
  JOIN large AS b ON b.author = a.author AND b.id <> a.id AND abs(b.dl - a.dl) <= 0.02 * a.dl
  GROUP BY a.id HAVING count(*) >= 3
)
SELECT w.id, m.downloads_30d, w.reason FROM (
  SELECT id, concat_ws('; ', max(CASE WHEN rule = 1 THEN reason END),
    max(CASE WHEN rule = 2 THEN reason END), max(CASE WHEN rule = 3 THEN reason END)) AS reason
  FROM told GROUP BY id
) AS w
JOIN raw_{of}models AS m ON m.id = w.id
"""

HISTORY: Final = """
SELECT coalesce(a.new, h.id) AS model, h.* FROM ({parts}) AS h
LEFT JOIN known_aliases AS a ON a.old = h.id
"""
