-- Models and downloads by region, as the last snapshot has them. Earlier quarters, and what was
-- downloaded between snapshots, are asked for where there are several snapshots.
SELECT region,
  count(*) AS n,
  CAST(sum(downloads_30d) FILTER (WHERE NOT is_flagged) AS BIGINT) AS dl,
  CAST(sum(
    CAST(downloads_30d AS DECIMAL(19, 0)) * CAST(downloads_30d AS DECIMAL(19, 0))
  ) FILTER (WHERE NOT is_flagged) AS DOUBLE) AS dl_square,
  max(downloads_30d) FILTER (WHERE NOT is_flagged) AS dl_largest,
  CAST(coalesce(sum(downloads_30d) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged,
  count(*) FILTER (WHERE downloads_30d IS NULL) AS n_missing_downloads,
  count(*) FILTER (WHERE is_flagged) AS n_flagged
FROM models
GROUP BY region
ORDER BY CASE region WHEN 'unknown' THEN 1 ELSE 0 END,
  sum(downloads_30d) FILTER (WHERE NOT is_flagged) DESC NULLS LAST, region
