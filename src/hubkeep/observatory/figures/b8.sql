-- Models by class of size, of all and of those for text generation, and by how it is known. Headers
-- of packed (quantised) weights count too few, so that those repositories are of no known size.
WITH packed AS (
  SELECT DISTINCT child AS id FROM lineage WHERE relation = 'quantized'
),
told AS (
  SELECT m.parameters, m.parameters_from, m.is_flagged, m.downloads_30d,
    coalesce(m.task = 'text-generation', false) AS is_llm,
    CASE WHEN m.parameters_from = 'safetensors' AND m.parameters > 0
      THEN p.id IS NOT NULL OR regexp_matches(lower(m.id), 'gptq|awq|bnb|4-?bit|8-?bit')
      ELSE false END AS is_packed
  FROM models AS m
  LEFT JOIN packed AS p ON p.id = m.id
),
classed AS (
  SELECT is_llm, is_packed, is_flagged, downloads_30d,
    coalesce(parameters_from, 'untold') AS source,
    CASE WHEN parameters IS NULL OR parameters <= 0 OR is_packed THEN 10
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
  FROM told
),
counted AS (
  SELECT is_llm, source, place,
    count(*) AS n,
    CAST(sum(downloads_30d) FILTER (WHERE NOT is_flagged) AS BIGINT) AS dl,
    CAST(sum(
      CAST(downloads_30d AS DECIMAL(19, 0)) * CAST(downloads_30d AS DECIMAL(19, 0))
    ) FILTER (WHERE NOT is_flagged) AS DECIMAL(38, 0)) AS dl_square,
    max(downloads_30d) FILTER (WHERE NOT is_flagged) AS dl_largest,
    CAST(coalesce(sum(downloads_30d) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged,
    count(*) FILTER (WHERE downloads_30d IS NULL) AS n_missing_downloads,
    count(*) FILTER (WHERE is_flagged) AS n_flagged,
    count(*) FILTER (WHERE is_packed) AS n_packed
  FROM classed
  GROUP BY is_llm, source, place
),
placed AS (
  SELECT 'all' AS among, 'any' AS source, place, n, dl, dl_square, dl_largest, dl_flagged,
    n_missing_downloads, n_flagged, n_packed
  FROM counted
  UNION ALL
  SELECT 'all' AS among, source, place, n, dl, dl_square, dl_largest, dl_flagged,
    n_missing_downloads, n_flagged, n_packed
  FROM counted WHERE place < 10
  UNION ALL
  SELECT 'text-generation' AS among, 'any' AS source, place, n, dl, dl_square, dl_largest,
    dl_flagged, n_missing_downloads, n_flagged, n_packed
  FROM counted WHERE is_llm
  UNION ALL
  SELECT 'text-generation' AS among, source, place, n, dl, dl_square, dl_largest, dl_flagged,
    n_missing_downloads, n_flagged, n_packed
  FROM counted WHERE is_llm AND place < 10
)
SELECT among, source, concat(among, ', ', source) AS whole,
  CASE place WHEN 0 THEN '<0.1 B' WHEN 1 THEN '0.1-0.5 B' WHEN 2 THEN '0.5-1 B'
    WHEN 3 THEN '1-3 B' WHEN 4 THEN '3-7 B' WHEN 5 THEN '7-9 B' WHEN 6 THEN '10-15 B'
    WHEN 7 THEN '16-40 B' WHEN 8 THEN '41-80 B' WHEN 9 THEN '>80 B' ELSE 'unknown'
    END AS size_class,
  CAST(sum(n) AS BIGINT) AS n, CAST(sum(dl) AS BIGINT) AS dl,
  CAST(sum(dl_square) AS DOUBLE) AS dl_square, max(dl_largest) AS dl_largest,
  CAST(sum(dl_flagged) AS BIGINT) AS dl_flagged,
  CAST(sum(n_missing_downloads) AS BIGINT) AS n_missing_downloads,
  CAST(sum(n_flagged) AS BIGINT) AS n_flagged, CAST(sum(n_packed) AS BIGINT) AS n_packed
FROM placed
GROUP BY among, source, place
ORDER BY among, CASE source WHEN 'any' THEN 0 WHEN 'safetensors' THEN 1 WHEN 'gguf' THEN 2
  WHEN 'declared' THEN 3 WHEN 'name' THEN 4 ELSE 5 END, place
