-- What the models of this hub are made from that another hub has, or had: the models upstream that
-- most of them depend on, and how many depend on what has gone, is old, is pickle alone or has
-- terms that theirs do not keep. A base on this hub that the other one does not have is a step on
-- the way; three steps are followed.
WITH edges AS (
  SELECT e.child, e.parent AS written, coalesce(a.new, e.parent) AS parent
  FROM raw_lineage AS e
  LEFT JOIN known_aliases AS a ON a.old = e.parent
  WHERE e.child <> e.parent
),
direct AS (
  SELECT child, parent, max(CASE WHEN written <> parent THEN 1 ELSE 0 END) AS by_former_name
  FROM edges
  GROUP BY child, parent
),
names AS (
  SELECT written AS name, parent FROM edges
  UNION
  SELECT parent, parent FROM edges
),
own AS (
  SELECT DISTINCT n.parent FROM names AS n JOIN raw_models AS m ON m.id = n.name
),
found AS (
  SELECT n.parent, n.name, r.license, coalesce(l.license_class, 'none') AS license_class,
    r.last_modified, coalesce(r.disabled, false) AS is_disabled, r.downloads_30d,
    r.has_pickle AND NOT coalesce(r.has_safetensors, false) AND NOT coalesce(r.has_gguf, false)
      AS is_pickle_only,
    k.id IS NOT NULL AS is_flagged,
    row_number() OVER (
      PARTITION BY n.parent ORDER BY CASE WHEN n.name = n.parent THEN 0 ELSE 1 END, n.name
    ) AS place
  FROM names AS n
  JOIN raw_reference_models AS r ON r.id = n.name
  LEFT JOIN known_reference_licenses AS l ON l.license = r.license
  LEFT JOIN known_reference_flags AS k ON k.id = r.id
),
bases AS (
  SELECT p.parent, o.parent IS NOT NULL AS is_own, f.parent IS NOT NULL AS is_there,
    f.name = p.parent AS is_by_new_name, f.license, f.license_class, f.downloads_30d,
    f.is_pickle_only, f.is_flagged,
    date_diff('day', CAST(f.last_modified AS DATE), CAST(s.taken_at AS DATE)) AS days,
    CASE WHEN s.taken_at IS NULL THEN 'not compared'
      WHEN f.parent IS NULL THEN 'missing'
      WHEN f.is_disabled THEN 'disabled'
      WHEN date_diff('day', CAST(f.last_modified AS DATE), CAST(s.taken_at AS DATE))
        > $months * 30.436875 THEN 'stale'
      ELSE 'there' END AS status
  FROM (SELECT DISTINCT parent FROM names) AS p
  LEFT JOIN own AS o ON o.parent = p.parent
  LEFT JOIN found AS f ON f.parent = p.parent AND f.place = 1
  LEFT JOIN reference_snapshots AS s ON s.number = 0
),
steps AS (
  SELECT d.child, d.parent
  FROM direct AS d
  JOIN bases AS b ON b.parent = d.parent
  WHERE b.is_own AND NOT b.is_there
),
first AS (
  SELECT d.child, d.parent, d.by_former_name
  FROM direct AS d
  JOIN bases AS b ON b.parent = d.parent
  WHERE b.is_there OR NOT b.is_own
),
second AS (
  SELECT DISTINCT s.child, d.parent, d.by_former_name
  FROM steps AS s JOIN first AS d ON d.child = s.parent
),
third AS (
  SELECT DISTINCT s.child, d.parent, d.by_former_name
  FROM steps AS s JOIN second AS d ON d.child = s.parent
),
reach AS (
  SELECT child, parent, min(step) AS step, max(by_former_name) AS by_former_name
  FROM (
    SELECT child, parent, 1 AS step, by_former_name FROM first
    UNION ALL
    SELECT child, parent, 2 AS step, by_former_name FROM second
    UNION ALL
    SELECT child, parent, 3 AS step, by_former_name FROM third
  ) AS every
  GROUP BY child, parent
),
ranks AS (
  SELECT 'permissive' AS class, 1 AS demand
  UNION ALL SELECT 'copyleft', 2
  UNION ALL SELECT 'rail', 3
  UNION ALL SELECT 'model-custom', 4
  UNION ALL SELECT 'noncommercial', 5
),
judged AS (
  SELECT r.child, r.parent, r.step, b.status, b.days, b.license, b.license_class, b.is_pickle_only,
    b.downloads_30d AS dl_upstream, b.is_flagged,
    CASE WHEN m.is_flagged THEN 0 ELSE coalesce(m.downloads_30d, 0) END AS dl,
    r.by_former_name = 1 AND coalesce(b.is_by_new_name, true) AS is_former_name,
    CASE WHEN NOT b.is_there THEN NULL
      WHEN b.license IS NULL THEN 'upstream names none'
      WHEN m.license IS NULL THEN 'dropped'
      WHEN m.license = b.license THEN 'kept'
      WHEN mine.demand IS NULL OR theirs.demand IS NULL THEN 'not comparable'
      WHEN mine.demand = theirs.demand THEN 'same class'
      WHEN mine.demand > theirs.demand THEN 'tightened'
      ELSE 'conflict' END AS terms
  FROM reach AS r
  JOIN bases AS b ON b.parent = r.parent
  JOIN models AS m ON m.id = r.child
  LEFT JOIN ranks AS mine ON mine.class = m.license_class
  LEFT JOIN ranks AS theirs ON theirs.class = b.license_class
),
upstream AS (
  SELECT parent, status, days, license, license_class, is_pickle_only, dl_upstream, is_flagged,
    count(*) AS n,
    count(*) FILTER (WHERE step = 1) AS n_direct,
    count(*) FILTER (WHERE is_former_name) AS n_former_name,
    CAST(sum(dl) AS BIGINT) AS dl,
    count(*) FILTER (WHERE terms = 'dropped') AS n_dropped,
    count(*) FILTER (WHERE terms = 'tightened') AS n_tightened,
    count(*) FILTER (WHERE terms = 'conflict') AS n_conflict
  FROM judged
  GROUP BY parent, status, days, license, license_class, is_pickle_only, dl_upstream, is_flagged
),
placed AS (
  SELECT u.parent, u.status, u.days, u.license, u.license_class, u.is_pickle_only, u.dl_upstream,
    u.is_flagged, u.n, u.n_direct, u.n_former_name, u.dl, u.n_dropped, u.n_tightened, u.n_conflict,
    row_number() OVER (ORDER BY u.n DESC, u.dl DESC, u.parent) AS place
  FROM upstream AS u
),
facts AS (
  SELECT 'dependent' AS part, 'all' AS name, child, parent, dl FROM judged
  UNION ALL
  SELECT 'status', status, child, parent, dl FROM judged
  UNION ALL
  SELECT 'status', 'former name', child, parent, dl FROM judged WHERE is_former_name
  UNION ALL
  SELECT 'terms', terms, child, parent, dl FROM judged WHERE terms IS NOT NULL
  UNION ALL
  SELECT 'files', 'upstream is pickle alone', child, parent, dl FROM judged WHERE is_pickle_only
),
told AS (
  SELECT part, name, count(*) AS n, CAST(sum(dl) AS BIGINT) AS dl
  FROM (SELECT part, name, child, max(dl) AS dl FROM facts GROUP BY part, name, child) AS each_once
  GROUP BY part, name
),
widths AS (
  SELECT part, name, count(DISTINCT parent) AS n_upstream FROM facts GROUP BY part, name
)
SELECT 'upstream' AS part, parent AS name, n, dl, 1 AS n_upstream, n_direct, status, days, license,
  license_class, is_pickle_only, dl_upstream, is_flagged, n_former_name, n_dropped, n_tightened, n_conflict,
  place
FROM placed
WHERE place <= $top
UNION ALL
SELECT t.part, t.name, t.n, t.dl, w.n_upstream, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  NULL, NULL, NULL, NULL, NULL
FROM told AS t
JOIN widths AS w ON w.part = t.part AND w.name = t.name
ORDER BY part, place, name
