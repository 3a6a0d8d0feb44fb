-- Models, sizes and downloads by the type of organisation that made them. Sizes and downloads are
-- looked at one after the other: quartiles hold all values that they are of.
WITH counted AS (
  SELECT CASE WHEN $merged AND org_type = 'individual' THEN 'other' ELSE org_type END AS org_type,
    count(*) AS n_models,
    count(DISTINCT CASE WHEN namespace <> '(none)' THEN namespace END) AS n_orgs,
    CAST(sum(downloads_30d) FILTER (WHERE NOT is_flagged) AS BIGINT) AS dl_sum,
    CAST(sum(
      CAST(downloads_30d AS DECIMAL(19, 0)) * CAST(downloads_30d AS DECIMAL(19, 0))
    ) FILTER (WHERE NOT is_flagged) AS DOUBLE) AS dl_square,
    count(*) FILTER (WHERE downloads_30d IS NULL) AS n_missing_downloads,
    count(*) FILTER (WHERE is_flagged) AS n_flagged,
    count(*) FILTER (WHERE org_type_from = 'none') AS n_unmapped,
    count(*) FILTER (WHERE downloads_30d = 0) AS n_zero_downloads,
    count(*) FILTER (WHERE size IS NULL) AS n_missing_size,
    count(*) FILTER (WHERE org_type_from = 'self_assigned') AS n_self_assigned,
    count(*) FILTER (WHERE org_type_from = 'curated') AS n_curated,
    coalesce(max(downloads_30d) FILTER (WHERE NOT is_flagged), 0) AS dl_largest,
    CAST(coalesce(sum(downloads_30d) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged
  FROM models
  GROUP BY CASE WHEN $merged AND org_type = 'individual' THEN 'other' ELSE org_type END
),
sized AS (
  SELECT CASE WHEN $merged AND org_type = 'individual' THEN 'other' ELSE org_type END AS org_type,
    quantile_cont(size, [0.25, 0.5, 0.75]) AS sizes
  FROM models WHERE size IS NOT NULL
  GROUP BY CASE WHEN $merged AND org_type = 'individual' THEN 'other' ELSE org_type END
),
loaded AS (
  SELECT CASE WHEN $merged AND org_type = 'individual' THEN 'other' ELSE org_type END AS org_type,
    quantile_cont(downloads_30d, [0.25, 0.5, 0.75]) AS loads
  FROM models WHERE downloads_30d IS NOT NULL AND NOT is_flagged
  GROUP BY CASE WHEN $merged AND org_type = 'individual' THEN 'other' ELSE org_type END
)
SELECT c.org_type, c.n_models, c.n_orgs,
  s.sizes[1] AS size_q25, s.sizes[2] AS size_q50, s.sizes[3] AS size_q75, c.dl_sum,
  d.loads[1] AS dl_q25, d.loads[2] AS dl_q50, d.loads[3] AS dl_q75,
  c.n_zero_downloads, c.n_missing_size, c.n_self_assigned, c.n_curated, c.n_unmapped,
  c.dl_largest, c.dl_square, c.dl_flagged, c.n_flagged, c.n_missing_downloads
FROM counted AS c
LEFT JOIN sized AS s ON s.org_type = c.org_type
LEFT JOIN loaded AS d ON d.org_type = c.org_type
ORDER BY c.n_models DESC, c.org_type
