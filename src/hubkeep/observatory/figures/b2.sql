-- Every model that others name as their base: who names it, how, and what its own base is. A model
-- with several bases belongs to one of them: one that is in the snapshot, the most downloaded. The
-- bases are numbered in that order, in eights, and relations by which of several told for a pair
-- counts, so that the least sum of both tells a model's base and relation.
WITH told AS (
  SELECT child, parent, CASE relation WHEN 'merge' THEN 0 WHEN 'quantized' THEN 1
    WHEN 'adapter' THEN 2 WHEN 'finetune' THEN 3 ELSE 4 END AS relation
  FROM lineage
),
named AS (
  SELECT DISTINCT parent AS id FROM told
),
written AS (
  SELECT id, id AS name FROM named
  UNION ALL
  SELECT n.id, a.old FROM named AS n JOIN known_aliases AS a ON a.new = n.id
),
found AS (
  SELECT w.id, count(m.id) > 0 AS is_there, max(m.downloads_30d) AS dl,
    max(CASE WHEN m.is_flagged THEN 1 ELSE 0 END) = 1 AS is_flagged
  FROM written AS w
  LEFT JOIN models AS m ON m.id = w.name
  GROUP BY w.id
),
bases AS (
  SELECT id, is_there, dl, is_flagged,
    8 * row_number() OVER (
      ORDER BY CASE WHEN is_there THEN 0 ELSE 1 END,
        CASE WHEN is_flagged THEN -1 ELSE coalesce(dl, -1) END DESC, id
    ) AS number
  FROM found
),
children AS (
  SELECT t.child, min(b.number + t.relation) AS main, max(b.number) AS furthest,
    count(*) FILTER (WHERE t.relation = 0) AS merges,
    count(*) FILTER (WHERE t.relation = 1) AS quantized,
    count(*) FILTER (WHERE t.relation = 2) AS adapters,
    count(*) FILTER (WHERE t.relation = 3) AS finetunes,
    count(*) AS edges
  FROM told AS t
  JOIN bases AS b ON b.id = t.parent
  GROUP BY t.child
),
placed AS (
  SELECT c.*, c.main % 8 AS relation, c.main - c.main % 8 AS up, m.downloads_30d AS dl,
    coalesce(m.is_flagged, false) AS is_flagged,
    m.id IS NOT NULL OR (SELECT count(*) FROM raw_models) = 0 AS is_counted
  FROM children AS c
  LEFT JOIN models AS m ON m.id = c.child
),
made AS (
  SELECT CASE WHEN is_counted THEN up ELSE 0 END AS base, count(*) AS n_direct,
    count(*) FILTER (WHERE relation = 0) AS n_merge,
    count(*) FILTER (WHERE relation = 1) AS n_quantized,
    count(*) FILTER (WHERE relation = 2) AS n_adapter,
    count(*) FILTER (WHERE relation = 3) AS n_finetune,
    count(*) FILTER (WHERE relation = 4) AS n_untold,
    count(*) FILTER (WHERE furthest > up) AS n_several,
    CAST(sum(merges) AS BIGINT) AS merges, CAST(sum(quantized) AS BIGINT) AS quantized,
    CAST(sum(adapters) AS BIGINT) AS adapters, CAST(sum(finetunes) AS BIGINT) AS finetunes,
    CAST(sum(edges) AS BIGINT) AS edges,
    CAST(coalesce(sum(dl) FILTER (WHERE NOT is_flagged), 0) AS BIGINT) AS dl,
    CAST(sum(CAST(dl AS DECIMAL(19, 0)) * dl) FILTER (WHERE NOT is_flagged) AS DOUBLE) AS square,
    coalesce(max(dl) FILTER (WHERE NOT is_flagged), 0) AS largest,
    CAST(coalesce(sum(dl) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged
  FROM placed
  GROUP BY CASE WHEN is_counted THEN up ELSE 0 END
)
SELECT coalesce(b.number, 0) AS number, b.id, b.is_there, b.dl AS own, b.is_flagged, c.up,
  coalesce(c.is_counted, false) AS is_child,
  coalesce(m.n_direct, 0) AS direct, coalesce(m.n_finetune, 0) AS finetune,
  coalesce(m.n_adapter, 0) AS adapter, coalesce(m.n_quantized, 0) AS quantized,
  coalesce(m.n_merge, 0) AS merge, coalesce(m.n_untold, 0) AS untold, coalesce(m.n_several, 0) AS several,
  coalesce(m.finetunes, 0) AS edges_finetune, coalesce(m.adapters, 0) AS edges_adapter,
  coalesce(m.quantized, 0) AS edges_quantized, coalesce(m.merges, 0) AS edges_merge,
  coalesce(m.edges, 0) AS edges, coalesce(m.dl, 0) AS dl, coalesce(m.square, 0) AS square,
  coalesce(m.largest, 0) AS largest, coalesce(m.dl_flagged, 0) AS dl_flagged
FROM bases AS b
FULL JOIN made AS m ON m.base = b.number
LEFT JOIN placed AS c ON c.child = b.id
ORDER BY number
