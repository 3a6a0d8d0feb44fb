-- New models by month, and how large they are. Those that are only known to be older than March
-- 2022 stand in a row of their own, before that month.
WITH by_month AS (
  SELECT month, is_censored,
    count(*) FILTER (WHERE size > $min_bytes) AS n_new,
    quantile_cont(size, 0.05) FILTER (WHERE size > $min_bytes) AS q05,
    quantile_cont(size, 0.25) FILTER (WHERE size > $min_bytes) AS q25,
    quantile_cont(size, 0.5) FILTER (WHERE size > $min_bytes) AS q50,
    quantile_cont(size, 0.75) FILTER (WHERE size > $min_bytes) AS q75,
    quantile_cont(size, 0.95) FILTER (WHERE size > $min_bytes) AS q95,
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
  q05, q25, q50, q75, q95, n_missing_size, is_censored, n_small
FROM by_month
ORDER BY month, CASE WHEN is_censored THEN 0 ELSE 1 END
