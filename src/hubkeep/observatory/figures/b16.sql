-- What training may have emitted: models by size, type of organisation and what is known of how
-- they were trained, with what the estimate is linear in. A model counts as trained from scratch
-- where its training is known, or where it names no base model and enough others train it further.
WITH derived AS (
  SELECT child AS id,
    max(CASE relation WHEN 'quantized' THEN 2 WHEN 'merge' THEN 2 WHEN 'adapter' THEN 1 ELSE 0 END)
      AS how
  FROM raw_lineage
  WHERE child <> parent
  GROUP BY child
),
named AS (
  SELECT coalesce(a.new, e.parent) AS id
  FROM raw_lineage AS e
  LEFT JOIN known_aliases AS a ON a.old = e.parent
  WHERE coalesce(e.relation, 'finetune') IN ('finetune', 'adapter')
    AND split_part(e.child, '/', 1) <> split_part(coalesce(a.new, e.parent), '/', 1)
  GROUP BY coalesce(a.new, e.parent)
  HAVING count(DISTINCT split_part(e.child, '/', 1)) >= $builders
),
bases AS (
  SELECT id FROM named
  UNION ALL
  SELECT a.old FROM named AS n JOIN known_aliases AS a ON a.new = n.id
),
trained AS (
  SELECT model AS id, parameters, tokens FROM known_training
  UNION ALL
  SELECT a.old, t.parameters, t.tokens
  FROM known_training AS t JOIN known_aliases AS a ON a.new = t.model
),
scratch AS (
  SELECT id, min(tier) AS tier
  FROM (SELECT id, 2 AS tier FROM bases UNION ALL SELECT id, 1 AS tier FROM trained) AS either
  GROUP BY id
),
candidates AS (
  SELECT m.id, m.downloads_30d, s.tier, lower(regexp_replace(m.id, '^.*/', '')) AS name
  FROM raw_models AS m
  JOIN scratch AS s ON s.id = m.id
  LEFT JOIN known_tasks AS k ON k.task = m.task
  LEFT JOIN derived AS d ON d.id = m.id
  WHERE s.tier = 1 OR (
    d.id IS NULL AND k.modality = 'text' AND m.parameters > 0 AND m.parameters <= 10000000000000
    AND coalesce(m.downloads_30d, 0) >= $min_downloads
    AND coalesce(m.parameters_from, '') <> 'gguf'
    AND NOT coalesce(m.has_gguf AND NOT coalesce(m.has_safetensors, false), false)
    AND NOT regexp_matches(lower(m.id), 'gptq|awq|bnb|gguf|ggml|4-?bit|8-?bit')
  )
),
chosen AS (
  SELECT id,
    CASE WHEN row_number() OVER (
      PARTITION BY name ORDER BY tier, downloads_30d DESC NULLS LAST, id
    ) > 1 THEN 'copy of the same name' WHEN tier = 1 THEN 'tier 1' ELSE 'tier 2' END AS outcome
  FROM candidates
),
inherited AS (
  SELECT DISTINCT c.id
  FROM raw_models AS c
  JOIN raw_lineage AS e ON e.child = c.id
  LEFT JOIN known_aliases AS a ON a.old = e.parent
  JOIN raw_models AS p ON p.id = coalesce(a.new, e.parent)
  WHERE c.co2_grams > 0 AND p.co2_grams > 0 AND c.co2_grams = p.co2_grams AND p.id <> c.id
),
sorted AS (
  SELECT m.co2_grams, t.tokens, coalesce(t.parameters, m.parameters) AS parameters,
    CASE WHEN $merged AND m.org_type = 'individual' THEN 'other' ELSE m.org_type END AS org_type,
    CASE WHEN c.outcome IS NOT NULL THEN c.outcome
      WHEN d.how = 2 THEN 'quantised or merged'
      WHEN d.how = 1 THEN 'adapter'
      WHEN m.parameters IS NULL OR m.parameters <= 0 THEN 'parameters not known'
      WHEN m.parameters > 10000000000000 THEN 'impossible parameters'
      WHEN m.parameters_from = 'gguf' OR (m.has_gguf AND NOT coalesce(m.has_safetensors, false))
        OR regexp_matches(lower(m.id), 'gptq|awq|bnb|gguf|ggml|4-?bit|8-?bit') THEN 'converted'
      WHEN m.modality <> 'text' THEN 'no rule for tokens of its kind'
      WHEN d.how = 0 THEN 'fine-tuned'
      WHEN coalesce(m.downloads_30d, 0) < $min_downloads THEN 'too few downloads'
      ELSE 'too few build on it' END AS outcome,
    i.id IS NOT NULL AS is_inherited
  FROM models AS m
  LEFT JOIN chosen AS c ON c.id = m.id
  LEFT JOIN derived AS d ON d.id = m.id
  LEFT JOIN trained AS t ON t.id = m.id
  LEFT JOIN inherited AS i ON i.id = m.id
),
placed AS (
  SELECT org_type, outcome, co2_grams, is_inherited,
    CASE WHEN outcome IN ('tier 1', 'tier 2', 'fine-tuned') THEN
      CAST(parameters AS DECIMAL(19, 0)) * CAST(coalesce(tokens, parameters) AS DECIMAL(19, 0))
    END AS product,
    CASE WHEN parameters IS NULL OR parameters <= 0 THEN 10
      WHEN parameters < 100000000 THEN 0
      WHEN parameters < 500000000 THEN 1
      WHEN parameters < 1000000000 THEN 2
      WHEN parameters < 3000000000 THEN 3
      WHEN parameters < 7000000000 THEN 4
      WHEN parameters < 10000000000 THEN 5
      WHEN parameters < 16000000000 THEN 6
      WHEN parameters < 41000000000 THEN 7
      WHEN parameters <= 80000000000 THEN 8
      ELSE 9 END AS place
  FROM sorted
)
SELECT place, org_type, outcome,
  count(*) AS n,
  CAST(sum(product) AS DOUBLE) AS products,
  CAST(sum(product) FILTER (WHERE co2_grams IS NOT NULL AND NOT is_inherited) AS DOUBLE)
    AS products_reporting,
  count(co2_grams) FILTER (WHERE NOT is_inherited) AS n_reporting,
  count(*) FILTER (WHERE is_inherited) AS n_inherited,
  CAST(sum(CAST(co2_grams AS DECIMAL(30, 6))) FILTER (WHERE NOT is_inherited) AS DOUBLE) AS grams
FROM placed
GROUP BY place, org_type, outcome
ORDER BY place, org_type, outcome
