-- Parameters of models for text generation, by quarter and type of organisation. Headers of packed
-- (quantised) weights count too few, so that those repositories are left out.
WITH packed AS (
  SELECT DISTINCT child AS id FROM lineage WHERE relation = 'quantized'
),
told AS (
  SELECT m.quarter, m.is_censored, m.org_type, m.parameters, m.parameters_from
  FROM models AS m
  LEFT JOIN packed AS p ON p.id = m.id
  WHERE m.task = 'text-generation' AND m.quarter IS NOT NULL AND m.parameters > 0
    AND (m.parameters_from IS NULL OR NOT (m.parameters_from = 'safetensors' AND (
      p.id IS NOT NULL OR lower(m.id) LIKE '%gptq%' OR lower(m.id) LIKE '%awq%'
      OR lower(m.id) LIKE '%bnb%' OR lower(m.id) LIKE '%4bit%' OR lower(m.id) LIKE '%4-bit%'
      OR lower(m.id) LIKE '%8bit%' OR lower(m.id) LIKE '%8-bit%'
    )))
),
grouped AS (
  SELECT quarter, is_censored, org_type,
    count(*) AS n,
    quantile_cont(parameters, [0.5, 0.9]) AS known,
    max(parameters) AS largest,
    count(*) FILTER (WHERE parameters_from = 'safetensors') AS n_safetensors,
    count(*) FILTER (WHERE parameters_from = 'gguf') AS n_gguf,
    count(*) FILTER (WHERE parameters_from = 'declared') AS n_declared,
    count(*) FILTER (WHERE parameters_from = 'name') AS n_name
  FROM told
  GROUP BY quarter, is_censored, org_type
)
SELECT quarter, org_type, n,
  known[1] / 1000000000 AS p50_b,
  known[2] / 1000000000 AS p90_b,
  largest / 1000000000 AS max_b,
  is_censored, n_safetensors, n_gguf, n_declared, n_name
FROM grouped
ORDER BY quarter, CASE WHEN is_censored THEN 0 ELSE 1 END, org_type
