-- Models by what they are about, of all quarters together and of each in which they were made.
WITH made AS (
  SELECT CASE WHEN quarter IS NULL THEN 'no date' WHEN is_censored THEN 'before March 2022'
      ELSE CAST(quarter AS VARCHAR) END AS whole,
    quarter, is_censored, modality,
    count(*) AS n,
    CAST(sum(downloads_30d) FILTER (WHERE NOT is_flagged) AS BIGINT) AS dl,
    CAST(sum(
      CAST(downloads_30d AS DECIMAL(19, 0)) * CAST(downloads_30d AS DECIMAL(19, 0))
    ) FILTER (WHERE NOT is_flagged) AS DECIMAL(38, 0)) AS dl_square,
    max(downloads_30d) FILTER (WHERE NOT is_flagged) AS dl_largest,
    CAST(coalesce(sum(downloads_30d) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged,
    count(*) FILTER (WHERE downloads_30d IS NULL) AS n_missing_downloads,
    count(*) FILTER (WHERE is_flagged) AS n_flagged
  FROM models
  GROUP BY quarter, is_censored, modality
),
rolled AS (
  SELECT 'all' AS whole, CAST(NULL AS DATE) AS quarter, false AS is_censored, modality,
    CAST(sum(n) AS BIGINT) AS n, CAST(sum(dl) AS BIGINT) AS dl, sum(dl_square) AS dl_square,
    max(dl_largest) AS dl_largest, CAST(sum(dl_flagged) AS BIGINT) AS dl_flagged,
    CAST(sum(n_missing_downloads) AS BIGINT) AS n_missing_downloads,
    CAST(sum(n_flagged) AS BIGINT) AS n_flagged
  FROM made
  GROUP BY modality
  UNION ALL
  SELECT whole, quarter, is_censored, modality, n, dl, dl_square, dl_largest, dl_flagged,
    n_missing_downloads, n_flagged
  FROM made
)
SELECT whole, quarter, is_censored, modality, n, dl, CAST(dl_square AS DOUBLE) AS dl_square,
  dl_largest, dl_flagged, n_missing_downloads, n_flagged
FROM rolled
ORDER BY CASE whole WHEN 'all' THEN 0 WHEN 'before March 2022' THEN 1 WHEN 'no date' THEN 3
  ELSE 2 END, quarter, n DESC, modality
