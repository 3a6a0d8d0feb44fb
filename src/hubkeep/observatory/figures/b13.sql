-- Models that were among the first of any snapshot, some twenty times as many as are asked about
-- since some may be left out, and what each of them had in every snapshot that it is in. What the
-- last of them had is found by counting, as all models are too many to be sorted.
WITH held AS (
  SELECT number, model,
    CAST(CASE $rule WHEN 'downloads_all' THEN downloads_all WHEN 'likes' THEN likes
      WHEN 'trending' THEN trending ELSE downloads_30d END AS DOUBLE) AS held
  FROM history
),
counted AS (
  SELECT number, held, count(*) AS n FROM held WHERE held IS NOT NULL GROUP BY number, held
),
added AS (
  SELECT number, held, sum(n) OVER (
    PARTITION BY number ORDER BY held DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS so_far
  FROM counted
),
limits AS (
  SELECT number,
    coalesce(max(CASE WHEN so_far >= 20 * $k THEN held END), min(held)) AS held
  FROM added
  GROUP BY number
),
pool AS (
  SELECT DISTINCT h.model
  FROM held AS h
  JOIN limits AS l ON l.number = h.number AND h.held >= l.held
),
asked AS (
  SELECT coalesce(a.new, m.id) AS model, m.is_flagged
  FROM models AS m
  LEFT JOIN known_aliases AS a ON a.old = m.id
)
SELECT p.model, h.number, h.held, m.model IS NOT NULL AS is_asked,
  coalesce(m.is_flagged, false) AS is_flagged
FROM pool AS p
JOIN held AS h ON h.model = p.model
LEFT JOIN asked AS m ON m.model = p.model
ORDER BY h.number, h.held DESC NULLS LAST, p.model, is_flagged
