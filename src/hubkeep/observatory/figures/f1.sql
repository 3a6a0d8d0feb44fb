-- New models by month, and how large they are. Those that are only known to be older than March
-- 2022 stand in a row of their own, before that month.
WITH by_month AS (
  SELECT month, is_censored,
    count(*) FILTER (WHERE size > $min_bytes) AS n_new,
    quantile_cont(size, [0.05, 0.25, 0.5, 0.75, 0.95]) FILTER (WHERE size > $min_bytes) AS sizes,
    count(*) FILTER (WHERE size IS NULL) AS n_missing_size,
    count(*) FILTER (WHERE size <= $min_bytes) AS n_small
  FROM models
  WHERE month IS NOT NULL
  GROUP BY month, is_censored
)
SELECT month, n_new,
  CAST(sum(n_new) OVER (
    ORDER BY month, CASE WHEN is_censored THEN 0 ELSE 1 END
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS BIGINT) AS n_cum,
  sizes[1] AS q05, sizes[2] AS q25, sizes[3] AS q50, sizes[4] AS q75, sizes[5] AS q95,
  n_missing_size, is_censored, n_small
FROM by_month
ORDER BY month, CASE WHEN is_censored THEN 0 ELSE 1 END
