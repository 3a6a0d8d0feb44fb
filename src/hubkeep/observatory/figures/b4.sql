-- What is wrong with what models say of their bases, by kind; and the pairs that can be part of a
-- cycle, since the one is a base and the other is derived (kind pair). Kind all is how many pairs
-- there are, kind out how many are of models that are not asked about.
WITH told AS (
  SELECT coalesce(c.new, e.child) AS child, coalesce(p.new, e.parent) AS parent, e.relation,
    CASE WHEN p.new IS NOT NULL THEN e.parent END AS former,
    m.id IS NOT NULL OR (SELECT count(*) FROM raw_models) = 0 AS is_counted
  FROM raw_lineage AS e
  LEFT JOIN known_aliases AS c ON c.old = e.child
  LEFT JOIN known_aliases AS p ON p.old = e.parent
  LEFT JOIN models AS m ON m.id = e.child
),
pairs AS (
  SELECT child, parent, relation, former FROM told WHERE is_counted
),
bases AS (
  SELECT parent AS id, count(*) AS n, min(child) AS child
  FROM pairs
  WHERE child <> parent
  GROUP BY parent
),
written AS (
  SELECT id, id AS name FROM bases
  UNION ALL
  SELECT b.id, a.old FROM bases AS b JOIN known_aliases AS a ON a.new = b.id
),
there AS (
  SELECT w.id, count(r.id) AS times
  FROM written AS w
  LEFT JOIN raw_models AS r ON r.id = w.name
  GROUP BY w.id
),
inner_pairs AS (
  SELECT p.child, p.parent
  FROM pairs AS p
  JOIN bases AS b ON b.id = p.child
  WHERE p.child <> p.parent
),
several AS (
  SELECT child
  FROM pairs
  WHERE child <> parent
  GROUP BY child
  HAVING min(relation) <> max(relation)
),
ways AS (
  SELECT p.child, p.parent, min(p.relation) AS first, max(p.relation) AS last
  FROM several AS s
  JOIN pairs AS p ON p.child = s.child
  WHERE p.child <> p.parent AND p.relation IS NOT NULL
  GROUP BY p.child, p.parent
),
found AS (
  SELECT 'all' AS kind, CAST(NULL AS VARCHAR) AS subject, CAST(NULL AS VARCHAR) AS related,
    count(*) AS n
  FROM pairs
  UNION ALL
  SELECT 'out', NULL, NULL, count(*) FROM told WHERE NOT is_counted
  UNION ALL
  SELECT 'untold', NULL, NULL, count(*) FROM pairs WHERE relation IS NULL
  UNION ALL
  SELECT 'self', child, child, count(*) FROM pairs WHERE child = parent GROUP BY child
  UNION ALL
  SELECT 'missing', b.id, b.child, b.n
  FROM bases AS b JOIN there AS t ON t.id = b.id WHERE t.times = 0
  UNION ALL
  SELECT 'renamed', former, parent, count(*)
  FROM pairs WHERE former IS NOT NULL GROUP BY former, parent
  UNION ALL
  SELECT 'contradictory', child, parent, 1 FROM ways WHERE first <> last
  UNION ALL
  SELECT 'mixed', child, min(parent), count(*) FROM ways GROUP BY child HAVING count(*) > 1
  UNION ALL
  SELECT 'pair', i.child, i.parent, 1
  FROM inner_pairs AS i
  JOIN (SELECT DISTINCT child FROM inner_pairs) AS d ON d.child = i.parent
)
SELECT kind, subject, related, CAST(n AS BIGINT) AS n
FROM found
ORDER BY kind, n DESC, subject, related
