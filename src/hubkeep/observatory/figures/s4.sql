-- Downloads of the most used models by who made them, and what the largest model is of that.
WITH placed AS (
  SELECT namespace, entity, id, downloads_30d, is_flagged,
    row_number() OVER (
      PARTITION BY namespace, is_flagged ORDER BY coalesce(downloads_30d, -1) DESC, id
    ) AS place_inside
  FROM universe
),
made AS (
  SELECT namespace, entity,
    count(*) AS n,
    CAST(coalesce(sum(downloads_30d) FILTER (WHERE NOT is_flagged), 0) AS BIGINT) AS dl,
    coalesce(max(downloads_30d) FILTER (WHERE NOT is_flagged), 0) AS dl_largest,
    max(CASE WHEN place_inside = 1 AND NOT is_flagged THEN id END) AS top_model,
    CAST(coalesce(sum(downloads_30d) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged
  FROM placed
  GROUP BY namespace, entity
)
SELECT namespace AS author, entity, n, dl, dl_largest, top_model, dl_flagged,
  CAST(sum(dl) OVER (PARTITION BY entity) AS BIGINT) AS entity_dl
FROM made
ORDER BY dl DESC, author
