-- Models by what their cards have: a row for each set of fields that occurs. What a source does not
-- tell of a model is null, which is not the same as a field that is not there. Of a few models each
-- number of downloads stands in a row of its own, so that they can be drawn again.
WITH named AS (
  SELECT id,
    count(*) FILTER (WHERE kind = 'language') > 0 AS has_language,
    count(*) FILTER (WHERE kind = 'dataset') > 0 AS has_dataset
  FROM labels
  WHERE repo_type = 'model' AND kind IN ('language', 'dataset')
  GROUP BY id
),
based AS (
  SELECT child AS id FROM raw_lineage WHERE child <> parent GROUP BY child
),
whole AS (
  SELECT count(*) AS n FROM models
)
SELECT m.has_card AS card,
  m.license IS NOT NULL AS licence,
  m.task IS NOT NULL AS task,
  m.library IS NOT NULL AS library,
  coalesce(n.has_dataset, false) AS dataset,
  b.id IS NOT NULL AS base,
  coalesce(n.has_language, false) AS language,
  m.has_metrics AS metrics,
  m.co2_written IS NOT NULL OR m.co2_grams IS NOT NULL AS co2,
  CASE WHEN w.n <= 10000 AND NOT m.is_flagged THEN m.downloads_30d END AS dl_each,
  count(*) AS n,
  count(*) FILTER (WHERE m.is_flagged) AS n_flagged,
  count(*) FILTER (WHERE m.downloads_30d IS NULL) AS n_missing_downloads,
  CAST(coalesce(sum(m.downloads_30d) FILTER (WHERE NOT m.is_flagged), 0) AS BIGINT) AS dl,
  CAST(coalesce(sum(
    CAST(m.downloads_30d AS DECIMAL(19, 0)) * CAST(m.downloads_30d AS DECIMAL(19, 0))
  ) FILTER (WHERE NOT m.is_flagged), 0) AS DOUBLE) AS dl_square,
  CAST(coalesce(sum(m.downloads_30d) FILTER (WHERE m.is_flagged), 0) AS BIGINT) AS dl_flagged
FROM models AS m
CROSS JOIN whole AS w
LEFT JOIN named AS n ON n.id = m.id
LEFT JOIN based AS b ON b.id = m.id
GROUP BY m.has_card, m.license IS NOT NULL, m.task IS NOT NULL, m.library IS NOT NULL,
  coalesce(n.has_dataset, false), b.id IS NOT NULL, coalesce(n.has_language, false), m.has_metrics,
  m.co2_written IS NOT NULL OR m.co2_grams IS NOT NULL,
  CASE WHEN w.n <= 10000 AND NOT m.is_flagged THEN m.downloads_30d END
ORDER BY card, licence, task, library, dataset, base, language, metrics, co2, dl_each
