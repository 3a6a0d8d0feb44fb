-- Downloads of the most used models by who made them, and what the largest model is of that.
WITH counted AS (
  SELECT namespace, entity, id, downloads_30d,
    row_number() OVER (PARTITION BY namespace ORDER BY downloads_30d DESC, id) AS place_inside
  FROM universe WHERE NOT is_flagged
),
claimed AS (
  SELECT namespace, entity, CAST(sum(downloads_30d) AS BIGINT) AS dl_flagged
  FROM universe WHERE is_flagged GROUP BY namespace, entity
),
made AS (
  SELECT namespace, entity, count(*) AS n,
    CAST(coalesce(sum(downloads_30d), 0) AS BIGINT) AS dl,
    coalesce(max(downloads_30d), 0) AS dl_largest,
    max(CASE WHEN place_inside = 1 THEN id END) AS top_model
  FROM counted GROUP BY namespace, entity
)
SELECT coalesce(m.namespace, c.namespace) AS author,
  coalesce(m.entity, c.entity) AS entity,
  coalesce(m.n, 0) AS n,
  coalesce(m.dl, 0) AS dl,
  coalesce(m.dl_largest, 0) AS dl_largest,
  m.top_model AS top_model,
  coalesce(c.dl_flagged, 0) AS dl_flagged
FROM made AS m
FULL JOIN claimed AS c ON c.namespace = m.namespace
ORDER BY dl DESC, author
