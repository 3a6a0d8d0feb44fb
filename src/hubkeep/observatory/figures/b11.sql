-- Models by how their weights are kept: of all, of each quarter in which they were made, and what
-- the hub's scanner said of each way. What a loader would take first is what counts.
WITH told AS (
  SELECT CASE WHEN has_safetensors THEN 'safetensors' WHEN has_safetensors IS NULL THEN 'unknown'
      WHEN has_pickle THEN 'pickle only' WHEN has_pickle IS NULL THEN 'unknown'
      WHEN has_gguf THEN 'gguf' WHEN has_gguf IS NULL THEN 'unknown' ELSE 'none' END AS format,
    CASE WHEN quarter IS NULL THEN 'no date' WHEN is_censored THEN 'before March 2022'
      ELSE CAST(quarter AS VARCHAR) END AS made,
    quarter, is_censored, scan, is_flagged, downloads_30d
  FROM models
),
counted AS (
  SELECT made, quarter, is_censored, format, scan,
    count(*) AS n,
    CAST(sum(downloads_30d) FILTER (WHERE NOT is_flagged) AS BIGINT) AS dl,
    CAST(sum(
      CAST(downloads_30d AS DECIMAL(19, 0)) * CAST(downloads_30d AS DECIMAL(19, 0))
    ) FILTER (WHERE NOT is_flagged) AS DECIMAL(38, 0)) AS dl_square,
    max(downloads_30d) FILTER (WHERE NOT is_flagged) AS dl_largest,
    CAST(coalesce(sum(downloads_30d) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged,
    count(*) FILTER (WHERE downloads_30d IS NULL) AS n_missing_downloads,
    count(*) FILTER (WHERE is_flagged) AS n_flagged
  FROM told
  GROUP BY made, quarter, is_censored, format, scan
),
placed AS (
  SELECT 0 AS place, 'all' AS whole, CAST(NULL AS DATE) AS quarter, false AS is_censored, format,
    CAST(NULL AS VARCHAR) AS verdict, n, dl, dl_square, dl_largest, dl_flagged,
    n_missing_downloads, n_flagged
  FROM counted
  UNION ALL
  SELECT CASE made WHEN 'before March 2022' THEN 1 WHEN 'no date' THEN 3 ELSE 2 END AS place,
    made AS whole, quarter, is_censored, format, CAST(NULL AS VARCHAR) AS verdict, n, dl,
    dl_square, dl_largest, dl_flagged, n_missing_downloads, n_flagged
  FROM counted
  UNION ALL
  SELECT 4 AS place, concat('scan of ', format) AS whole, CAST(NULL AS DATE) AS quarter,
    false AS is_censored, format, coalesce(scan, '(not scanned)') AS verdict, n, dl, dl_square,
    dl_largest, dl_flagged, n_missing_downloads, n_flagged
  FROM counted
)
SELECT place, whole, quarter, is_censored, format, verdict, CAST(sum(n) AS BIGINT) AS n,
  CAST(sum(dl) AS BIGINT) AS dl, CAST(sum(dl_square) AS DOUBLE) AS dl_square,
  max(dl_largest) AS dl_largest, CAST(sum(dl_flagged) AS BIGINT) AS dl_flagged,
  CAST(sum(n_missing_downloads) AS BIGINT) AS n_missing_downloads,
  CAST(sum(n_flagged) AS BIGINT) AS n_flagged
FROM placed
GROUP BY place, whole, quarter, is_censored, format, verdict
ORDER BY place, quarter, whole, n DESC, format, verdict
