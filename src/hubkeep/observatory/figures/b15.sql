-- Languages, datasets and papers that models name: how many models name each, and what those are
-- downloaded. Value null is all models that name any of the kind.
WITH named AS (
  SELECT l.kind, l.value, l.id, m.downloads_30d AS dl, m.is_flagged
  FROM labels AS l
  JOIN models AS m ON m.id = l.id
  WHERE l.repo_type = 'model' AND l.kind IN ('language', 'dataset', 'paper')
),
once AS (
  SELECT kind, max(dl) AS dl, max(CASE WHEN is_flagged THEN 1 ELSE 0 END) = 1 AS is_flagged
  FROM named
  GROUP BY kind, id
),
rows_of AS (
  SELECT kind, value, dl, is_flagged FROM named
  UNION ALL
  SELECT kind, NULL, dl, is_flagged FROM once
)
SELECT kind, value, count(*) AS n,
  CAST(coalesce(sum(dl) FILTER (WHERE NOT is_flagged), 0) AS BIGINT) AS dl,
  CAST(coalesce(sum(CAST(dl AS DECIMAL(19, 0)) * CAST(dl AS DECIMAL(19, 0)))
    FILTER (WHERE NOT is_flagged), 0) AS DOUBLE) AS square,
  coalesce(max(dl) FILTER (WHERE NOT is_flagged), 0) AS largest,
  CAST(coalesce(sum(dl) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged
FROM rows_of
GROUP BY kind, value
ORDER BY kind, n DESC, value
