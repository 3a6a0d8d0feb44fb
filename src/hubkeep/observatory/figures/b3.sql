-- Licences of models by those of their bases. What a base demands begins with a digit for its
-- class, from none over those that nobody can place to the strictest, so that the last of several
-- by the alphabet is the strictest. (An inner join of bases would be grouped over all models.)
WITH told AS (
  SELECT child, parent
  FROM lineage
  WHERE $relation = 'all' OR coalesce(relation, 'untold') = $relation
),
named AS (
  SELECT DISTINCT parent AS id FROM told
),
written AS (
  SELECT id, id AS name FROM named
  UNION ALL
  SELECT n.id, a.old FROM named AS n JOIN known_aliases AS a ON a.new = n.id
),
bases AS (
  SELECT w.id,
    max(CASE WHEN m.id IS NOT NULL THEN concat(CASE m.license_class WHEN 'none' THEN '1'
      WHEN 'permissive' THEN '3' WHEN 'copyleft' THEN '4' WHEN 'rail' THEN '5'
      WHEN 'model-custom' THEN '6' WHEN 'noncommercial' THEN '7' ELSE '2' END, m.license_or_none)
    END) AS terms
  FROM written AS w
  LEFT JOIN known_models AS m ON m.id = w.name
  GROUP BY w.id
),
children AS (
  SELECT t.child, max(b.terms) AS terms
  FROM told AS t
  LEFT JOIN bases AS b ON b.id = t.parent
  GROUP BY t.child
),
pairs AS (
  SELECT substr(c.terms, 1, 1) AS base, m.license_class AS class,
    m.license = substr(c.terms, 2) AS is_same, m.downloads_30d AS dl, m.is_flagged
  FROM children AS c
  LEFT JOIN models AS m ON m.id = c.child
)
SELECT CASE base WHEN '1' THEN 'none' WHEN '2' THEN 'other' WHEN '3' THEN 'permissive'
    WHEN '4' THEN 'copyleft' WHEN '5' THEN 'rail' WHEN '6' THEN 'model-custom'
    WHEN '7' THEN 'noncommercial' END AS base_class,
  class AS child_class,
  count(*) AS n,
  count(*) FILTER (WHERE is_same) AS n_same,
  CAST(coalesce(sum(dl) FILTER (WHERE NOT is_flagged), 0) AS BIGINT) AS dl,
  CAST(coalesce(sum(dl) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged
FROM pairs
GROUP BY base, class
ORDER BY base, child_class
