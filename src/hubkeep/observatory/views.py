# SPDX-License-Identifier: Apache-2.0
"""The views that the SQL of every figure reads, written once for all engines.

Below them lie, as an engine brings them, the tables of the snapshot (`raw_models`, ...), `history`,
and small tables of what Hubkeep knows (`known_*`).
"""

from collections.abc import Mapping
from typing import Final

from hubkeep.observatory.dimensions import NONE

STAMP: Final = "2022-03-02"
"""The day that huggingface.co gave to all repositories that are older: no date, a bound."""

MODELS: Final = f"""
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
FROM raw_models AS m
LEFT JOIN known_namespaces AS n ON n.author = coalesce(m.author, m.id)
LEFT JOIN known_licenses AS l ON l.license = m.license
LEFT JOIN known_tasks AS t ON t.task = m.task
LEFT JOIN known_flags AS f ON f.id = m.id
"""

RULES: Final = ("downloads_30d", "downloads_all", "likes", "trending")

UNIVERSE: Final[Mapping[str, str]] = {
    rule: f"""
SELECT * FROM (
  SELECT *, row_number() OVER (ORDER BY {rule} DESC, id) AS place
  FROM models WHERE {rule} IS NOT NULL
) AS ranked WHERE place <= $k
"""
    for rule in RULES
}

LINEAGE: Final = """
SELECT DISTINCT coalesce(c.new, e.child) AS child, coalesce(p.new, e.parent) AS parent, e.relation
FROM raw_lineage AS e
LEFT JOIN known_aliases AS c ON c.old = e.child
LEFT JOIN known_aliases AS p ON p.old = e.parent
WHERE coalesce(c.new, e.child) <> coalesce(p.new, e.parent)
"""

# What is flagged: see `figures` in the documentation of the observatory. A counter that stands out
# is shown, marked, and left out of shares.
FLAGS: Final = """
WITH total AS (SELECT sum(downloads_30d) AS dl FROM raw_models),
large AS (
  SELECT id, author, downloads_30d AS dl FROM raw_models, total
  WHERE downloads_30d > total.dl / 10000
),
alike AS (
  SELECT a.id FROM large AS a
  JOIN large AS b ON b.author = a.author AND b.id <> a.id AND abs(b.dl - a.dl) <= 0.02 * a.dl
  GROUP BY a.id HAVING count(*) >= 3
)
SELECT id, 'more than 5% of all downloads' AS reason FROM raw_models, total
WHERE downloads_30d > 0.05 * total.dl
UNION ALL
SELECT id, 'the same count as three others of its namespace' FROM alike
"""
