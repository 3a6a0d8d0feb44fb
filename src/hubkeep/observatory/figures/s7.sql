-- Downloads over time of every model that was ever among the first: rows of the forecast.
WITH counted AS (
  SELECT h.number, h.model, max(h.downloads_30d) AS downloads
  FROM history AS h
  WHERE h.downloads_30d IS NOT NULL
  GROUP BY h.number, h.model
),
ranked AS (
  SELECT number, model, row_number() OVER (PARTITION BY number ORDER BY downloads DESC, model) AS place
  FROM counted
),
pool AS (
  SELECT DISTINCT model FROM ranked WHERE place <= $pool
),
named AS (
  SELECT coalesce(a.new, m.id) AS model, max(CASE WHEN m.is_flagged THEN 1 ELSE 0 END) AS flagged
  FROM models AS m
  LEFT JOIN known_aliases AS a ON a.old = m.id
  GROUP BY coalesce(a.new, m.id)
)
SELECT c.number, c.model, c.downloads,
  n.model IS NOT NULL AS is_there,
  coalesce(n.flagged, 0) = 1 AS is_flagged
FROM counted AS c
JOIN pool AS p ON p.model = c.model
LEFT JOIN named AS n ON n.model = c.model
ORDER BY c.number, c.model
