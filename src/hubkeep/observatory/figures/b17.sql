-- What the models of this hub are made from that another hub has, or had: the models upstream that
-- most of them depend on, and how many depend on what has gone, is old, is pickle alone or has
-- terms that theirs do not keep. A base on this hub that the other one does not have is a step on
-- the way; three steps are followed. Bases are numbered: their names are long, and many.
WITH written AS (
  SELECT parent AS name FROM raw_lineage WHERE child <> parent GROUP BY parent
),
called AS (
  SELECT w.name, coalesce(a.new, w.name) AS parent
  FROM written AS w LEFT JOIN known_aliases AS a ON a.old = w.name
  UNION
  SELECT a.new, a.new FROM written AS w JOIN known_aliases AS a ON a.old = w.name
),
names AS (
  SELECT name, parent, name <> parent AS is_former, dense_rank() OVER (ORDER BY parent) AS base
  FROM called
),
own AS (
  SELECT DISTINCT n.base FROM names AS n JOIN raw_models AS m ON m.id = n.name
),
found AS (
  SELECT n.base, n.is_former, r.license, coalesce(l.license_class, 'none') AS license_class,
    r.last_modified, coalesce(r.disabled, false) AS is_disabled, r.downloads_30d,
    r.has_pickle AND NOT coalesce(r.has_safetensors, false) AND NOT coalesce(r.has_gguf, false)
      AS is_pickle_only,
    k.id IS NOT NULL AS is_flagged,
    row_number() OVER (
      PARTITION BY n.base ORDER BY CASE WHEN n.is_former THEN 1 ELSE 0 END, n.name
    ) AS place
  FROM names AS n
  JOIN raw_reference_models AS r ON r.id = n.name
  LEFT JOIN known_reference_licenses AS l ON l.license = r.license
  LEFT JOIN known_reference_flags AS k ON k.id = r.id
),
bases AS (
  SELECT n.base, n.parent, f.license, f.license_class, f.downloads_30d, f.is_pickle_only,
    f.is_flagged, NOT coalesce(f.is_former, false) AS is_by_new_name,
    f.base IS NOT NULL AS is_there,
    f.base IS NOT NULL OR o.base IS NULL AS is_upstream,
    date_diff('day', CAST(f.last_modified AS DATE), CAST(s.taken_at AS DATE)) AS days,
    CASE WHEN s.taken_at IS NULL THEN 'not compared'
      WHEN f.base IS NULL THEN 'missing'
      WHEN f.is_disabled THEN 'disabled'
      WHEN date_diff('day', CAST(f.last_modified AS DATE), CAST(s.taken_at AS DATE))
        > $months * 30.436875 THEN 'stale'
      ELSE 'there' END AS status
  FROM names AS n
  LEFT JOIN own AS o ON o.base = n.base
  LEFT JOIN found AS f ON f.base = n.base AND f.place = 1
  LEFT JOIN reference_snapshots AS s ON s.number = 0
  WHERE NOT n.is_former
),
ranks AS (
  SELECT 'permissive' AS class, 1 AS demand
  UNION ALL SELECT 'copyleft', 2
  UNION ALL SELECT 'rail', 3
  UNION ALL SELECT 'model-custom', 4
  UNION ALL SELECT 'noncommercial', 5
),
between_bases AS (
  SELECT c.base AS child, p.base AS parent, p.is_former, b.is_upstream
  FROM raw_lineage AS e
  JOIN names AS c ON c.name = e.child
  JOIN names AS p ON p.name = e.parent
  JOIN bases AS b ON b.base = p.base
  WHERE c.base <> p.base
),
further AS (
  SELECT child, parent, is_former, 2 AS step FROM between_bases WHERE is_upstream
  UNION ALL
  SELECT s.child, e.parent, e.is_former, 3
  FROM between_bases AS s
  JOIN between_bases AS e ON e.child = s.parent
  WHERE NOT s.is_upstream AND e.is_upstream
),
-- All bases have names here. Outer joins keep planners from joining all models with them first.
mine AS (
  SELECT m.id, n.base, n.is_former, b.is_upstream, m.license, k.demand,
    CASE WHEN m.is_flagged THEN 0 ELSE coalesce(m.downloads_30d, 0) END AS dl
  FROM models AS m
  JOIN raw_lineage AS e ON e.child = m.id
  LEFT JOIN names AS n ON n.name = e.parent
  LEFT JOIN bases AS b ON b.base = n.base
  LEFT JOIN ranks AS k ON k.class = m.license_class
  WHERE e.child <> e.parent
),
reach AS (
  SELECT id, base, license, demand, dl, min(step) AS step, max(CASE WHEN is_former THEN 1 ELSE 0 END)
    AS by_former_name
  FROM (
    SELECT id, base, license, demand, dl, is_former, 1 AS step FROM mine WHERE is_upstream
    UNION ALL
    SELECT m.id, f.parent, m.license, m.demand, m.dl, f.is_former, f.step
    FROM mine AS m
    JOIN further AS f ON f.child = m.base
    WHERE NOT m.is_upstream
  ) AS every
  GROUP BY id, base, license, demand, dl
),
judged AS MATERIALIZED (
  SELECT r.id AS child, b.parent, r.step, r.dl, b.status, b.days, b.license, b.license_class,
    b.is_pickle_only, b.downloads_30d AS dl_upstream, b.is_flagged,
    r.by_former_name = 1 AND b.is_by_new_name AS is_former_name,
    CASE WHEN NOT b.is_there THEN NULL
      WHEN b.license IS NULL THEN 'upstream names none'
      WHEN r.license IS NULL THEN 'dropped'
      WHEN r.license = b.license THEN 'kept'
      WHEN r.demand IS NULL OR k.demand IS NULL THEN 'not comparable'
      WHEN r.demand = k.demand THEN 'same class'
      WHEN r.demand > k.demand THEN 'tightened'
      ELSE 'conflict' END AS terms
  FROM reach AS r
  JOIN bases AS b ON b.base = r.base
  LEFT JOIN ranks AS k ON k.class = b.license_class
),
upstream AS (
  SELECT parent, status, days, license, license_class, dl_upstream, is_pickle_only, is_flagged,
    count(*) AS n,
    CAST(sum(dl) AS BIGINT) AS dl,
    count(*) FILTER (WHERE step = 1) AS n_direct,
    count(*) FILTER (WHERE is_former_name) AS n_former_name,
    count(*) FILTER (WHERE terms = 'dropped') AS n_dropped,
    count(*) FILTER (WHERE terms = 'tightened') AS n_tightened,
    count(*) FILTER (WHERE terms = 'conflict') AS n_conflict
  FROM judged
  GROUP BY parent, status, days, license, license_class, dl_upstream, is_pickle_only, is_flagged
),
placed AS (
  SELECT *, row_number() OVER (ORDER BY n DESC, dl DESC, parent) AS place FROM upstream
),
kinds AS (
  SELECT 1 AS at, 'dependent' AS part
  UNION ALL SELECT 2, 'status'
  UNION ALL SELECT 3, 'status'
  UNION ALL SELECT 4, 'terms'
  UNION ALL SELECT 5, 'files'
),
facts AS (
  SELECT k.part, j.child, j.parent, j.dl,
    CASE k.at WHEN 1 THEN 'all'
      WHEN 2 THEN j.status
      WHEN 3 THEN CASE WHEN j.is_former_name THEN 'former name' END
      WHEN 4 THEN j.terms
      ELSE CASE WHEN j.is_pickle_only THEN 'upstream is pickle alone' END END AS name
  FROM judged AS j CROSS JOIN kinds AS k
),
-- A model with several bases counts once in each row, with its downloads.
told AS (
  SELECT part, name, count(*) AS n, CAST(sum(dl) AS BIGINT) AS dl
  FROM (SELECT part, name, child, max(dl) AS dl FROM facts GROUP BY part, name, child) AS once
  WHERE name IS NOT NULL
  GROUP BY part, name
),
widths AS (
  SELECT part, name, count(DISTINCT parent) AS n_upstream
  FROM facts
  WHERE name IS NOT NULL
  GROUP BY part, name
)
SELECT 'upstream' AS part, parent AS name, n, dl, 1 AS n_upstream, n_direct, status, days, license,
  license_class, dl_upstream, is_pickle_only, is_flagged, n_former_name, n_dropped, n_tightened,
  n_conflict, place
FROM placed
WHERE place <= $top
UNION ALL
SELECT t.part, t.name, t.n, t.dl, w.n_upstream, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  NULL, NULL, NULL, NULL, NULL
FROM told AS t
JOIN widths AS w ON w.part = t.part AND w.name = t.name
ORDER BY part, place, name
