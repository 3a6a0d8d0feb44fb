-- Models and datasets by whether one has to ask for them, of all regions and of each.
WITH total AS (
  SELECT sum(downloads_30d) AS dl, count(*) FILTER (WHERE downloads_30d > 0) AS n FROM datasets
),
repos AS (
  SELECT 'model' AS repo_type, region, gated, downloads_30d, is_flagged FROM models
  UNION ALL
  SELECT 'dataset' AS repo_type, coalesce(n.region, 'unknown') AS region, d.gated,
    d.downloads_30d,
    coalesce(
      d.downloads_30d > 0.05 * t.dl AND d.downloads_30d * t.n > 3 * t.dl, false
    ) AS is_flagged
  FROM datasets AS d
  CROSS JOIN total AS t
  LEFT JOIN known_namespaces AS n ON n.author = d.author
),
counted AS (
  SELECT repo_type, region, coalesce(gated, 'unknown') AS gated,
    count(*) AS n,
    CAST(sum(downloads_30d) FILTER (WHERE NOT is_flagged) AS BIGINT) AS dl,
    CAST(sum(
      CAST(downloads_30d AS DECIMAL(19, 0)) * CAST(downloads_30d AS DECIMAL(19, 0))
    ) FILTER (WHERE NOT is_flagged) AS DECIMAL(38, 0)) AS dl_square,
    max(downloads_30d) FILTER (WHERE NOT is_flagged) AS dl_largest,
    CAST(coalesce(sum(downloads_30d) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged,
    count(*) FILTER (WHERE downloads_30d IS NULL) AS n_missing_downloads,
    count(*) FILTER (WHERE is_flagged) AS n_flagged
  FROM repos
  GROUP BY repo_type, region, coalesce(gated, 'unknown')
),
placed AS (
  SELECT repo_type, 0 AS place, 'all' AS region, gated, n, dl, dl_square, dl_largest, dl_flagged,
    n_missing_downloads, n_flagged
  FROM counted
  UNION ALL
  SELECT repo_type, CASE region WHEN 'unknown' THEN 2 ELSE 1 END AS place, region, gated, n, dl,
    dl_square, dl_largest, dl_flagged, n_missing_downloads, n_flagged
  FROM counted
)
SELECT repo_type, concat(repo_type, ' ', region) AS whole, region, gated,
  CAST(sum(n) AS BIGINT) AS n, CAST(sum(dl) AS BIGINT) AS dl,
  CAST(sum(dl_square) AS DOUBLE) AS dl_square, max(dl_largest) AS dl_largest,
  CAST(sum(dl_flagged) AS BIGINT) AS dl_flagged,
  CAST(sum(n_missing_downloads) AS BIGINT) AS n_missing_downloads,
  CAST(sum(n_flagged) AS BIGINT) AS n_flagged
FROM placed
GROUP BY repo_type, place, region, gated
ORDER BY repo_type DESC, place, region, CASE gated WHEN 'no' THEN 0 WHEN 'auto' THEN 1
  WHEN 'manual' THEN 2 ELSE 3 END
