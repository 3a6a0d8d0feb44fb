-- Reported emissions by type of organisation: a row for each report, and one for a type without.
-- A report is inherited where a base model of the same snapshot reports the same number.
WITH typed AS (
  SELECT CASE WHEN $merged AND org_type = 'individual' THEN 'other' ELSE org_type END AS org_type,
    id, co2_grams
  FROM models
),
whole AS (
  SELECT org_type, count(*) AS n_models FROM typed GROUP BY org_type
),
inherited AS (
  SELECT DISTINCT c.id
  FROM typed AS c
  JOIN lineage AS e ON e.child = c.id
  JOIN raw_models AS p ON p.id = e.parent
  WHERE c.co2_grams > 0 AND c.co2_grams = p.co2_grams
)
SELECT w.org_type, w.n_models, r.id, r.co2_grams, i.id IS NOT NULL AS is_inherited
FROM whole AS w
LEFT JOIN typed AS r ON r.org_type = w.org_type AND r.co2_grams IS NOT NULL
LEFT JOIN inherited AS i ON i.id = r.id
ORDER BY w.org_type, r.id
