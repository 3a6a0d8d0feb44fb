-- Reported emissions by type of organisation: a row for each report, and one for a type without.
-- A report is inherited where a base model of the same snapshot reports the same number.
WITH whole AS (
  SELECT CASE WHEN $merged AND org_type = 'individual' THEN 'other' ELSE org_type END AS org_type,
    count(*) AS n_models
  FROM models
  GROUP BY CASE WHEN $merged AND org_type = 'individual' THEN 'other' ELSE org_type END
),
reports AS (
  SELECT CASE WHEN $merged AND org_type = 'individual' THEN 'other' ELSE org_type END AS org_type,
    id, co2_grams
  FROM models
  WHERE co2_grams IS NOT NULL
),
inherited AS (
  SELECT DISTINCT c.id
  FROM reports AS c
  JOIN lineage AS e ON e.child = c.id
  JOIN raw_models AS p ON p.id = e.parent
  WHERE c.co2_grams > 0 AND c.co2_grams = p.co2_grams AND p.co2_grams > 0
)
SELECT w.org_type, w.n_models, r.id, r.co2_grams, i.id IS NOT NULL AS is_inherited
FROM whole AS w
LEFT JOIN reports AS r ON r.org_type = w.org_type
LEFT JOIN inherited AS i ON i.id = r.id
ORDER BY w.org_type, r.id
