-- What models, authors, entities and regions hold of all downloads: each different holding once,
-- and how many have it. Old models without a namespace are each an author of their own.
WITH counted AS (
  SELECT CASE WHEN namespace = '(none)' THEN id ELSE namespace END AS author,
    CASE WHEN entity = '(none)' THEN id ELSE entity END AS entity,
    region, is_flagged,
    CASE WHEN $rule = 'downloads_all' THEN downloads_all ELSE downloads_30d END AS one,
    count(*) AS times
  FROM models
  GROUP BY 1, 2, 3, 4, 5
),
known AS (
  SELECT author, entity, region, is_flagged, one, times,
    CASE WHEN NOT is_flagged THEN CAST(one AS DECIMAL(19, 0)) * times END AS dl,
    CASE WHEN is_flagged THEN CAST(one AS DECIMAL(19, 0)) * times END AS dl_flagged
  FROM counted
  WHERE one IS NOT NULL
),
authors AS (
  SELECT author, entity, region, sum(dl) AS dl, sum(dl_flagged) AS dl_flagged,
    max(CASE WHEN dl IS NOT NULL THEN one END) AS largest,
    sum(dl * one) AS square
  FROM known
  GROUP BY author, entity, region
),
held AS (
  SELECT 'model' AS level, CAST(NULL AS VARCHAR) AS name,
    CASE WHEN NOT is_flagged THEN one END AS dl, CASE WHEN is_flagged THEN one END AS dl_flagged,
    CAST(NULL AS BIGINT) AS largest, CAST(NULL AS DOUBLE) AS square, times
  FROM known
  UNION ALL
  SELECT 'author', NULL, dl, dl_flagged, NULL, NULL, 1
  FROM authors
  UNION ALL
  SELECT 'entity', NULL, sum(dl), sum(dl_flagged), NULL, NULL, 1
  FROM authors
  GROUP BY entity
  UNION ALL
  SELECT 'region', region, sum(dl), sum(dl_flagged), max(largest), CAST(sum(square) AS DOUBLE), 1
  FROM authors
  GROUP BY region
  UNION ALL
  SELECT 'missing', NULL, NULL, NULL, NULL, NULL, times
  FROM counted
  WHERE one IS NULL
)
SELECT level, name, CAST(dl AS DOUBLE) AS dl, CAST(dl_flagged AS DOUBLE) AS dl_flagged, largest,
  square, CAST(sum(times) AS BIGINT) AS times
FROM held
GROUP BY level, name, dl, dl_flagged, largest, square
ORDER BY level, name, dl, dl_flagged, largest
