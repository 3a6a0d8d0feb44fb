-- Models, sizes and downloads by the type of organisation that made them.
WITH typed AS (
  SELECT CASE WHEN $merged AND org_type = 'individual' THEN 'other' ELSE org_type END AS org_type,
    CASE WHEN namespace <> '(none)' THEN namespace END AS namespace,
    org_type_from, size, downloads_30d, is_flagged
  FROM models
)
SELECT org_type,
  count(*) AS n_models,
  count(DISTINCT namespace) AS n_orgs,
  quantile_cont(size, 0.25) AS size_q25,
  quantile_cont(size, 0.5) AS size_q50,
  quantile_cont(size, 0.75) AS size_q75,
  CAST(sum(downloads_30d) FILTER (WHERE NOT is_flagged) AS BIGINT) AS dl_sum,
  quantile_cont(downloads_30d, 0.25) FILTER (WHERE NOT is_flagged) AS dl_q25,
  quantile_cont(downloads_30d, 0.5) FILTER (WHERE NOT is_flagged) AS dl_q50,
  quantile_cont(downloads_30d, 0.75) FILTER (WHERE NOT is_flagged) AS dl_q75,
  count(*) FILTER (WHERE downloads_30d = 0) AS n_zero_downloads,
  count(*) FILTER (WHERE size IS NULL) AS n_missing_size,
  count(*) FILTER (WHERE org_type_from = 'self_assigned') AS n_self_assigned,
  count(*) FILTER (WHERE org_type_from = 'curated') AS n_curated,
  coalesce(max(downloads_30d) FILTER (WHERE NOT is_flagged), 0) AS dl_largest,
  CAST(coalesce(sum(downloads_30d) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged
FROM typed
GROUP BY org_type
ORDER BY n_models DESC, org_type
