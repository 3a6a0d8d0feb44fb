-- Downloads over time of every model that was ever among the first: rows of the forecast.
WITH ranked AS (
  SELECT number, model,
    row_number() OVER (PARTITION BY number ORDER BY max(downloads_30d) DESC, model) AS place
  FROM history
  WHERE downloads_30d IS NOT NULL
  GROUP BY number, model
),
pool AS (
  SELECT DISTINCT model FROM ranked WHERE place <= $pool
),
there AS (
  SELECT p.model, max(CASE WHEN m.is_flagged THEN 1 ELSE 0 END) AS flagged
  FROM models AS m
  LEFT JOIN known_aliases AS a ON a.old = m.id
  JOIN pool AS p ON p.model = coalesce(a.new, m.id)
  GROUP BY p.model
)
SELECT h.number, h.model, max(h.downloads_30d) AS downloads,
  t.model IS NOT NULL AS is_there,
  coalesce(t.flagged, 0) = 1 AS is_flagged
FROM history AS h
JOIN pool AS p ON p.model = h.model
LEFT JOIN there AS t ON t.model = h.model
WHERE h.downloads_30d IS NOT NULL
GROUP BY h.number, h.model, t.model, t.flagged
ORDER BY h.number, h.model
