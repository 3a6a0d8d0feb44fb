-- What came and went, look by look, and how long what came has stayed: models by the day of the look
-- that found them first and of that which missed them first. Looks are the days of events, and
-- snapshots where there are several. A model that one snapshot lacks and a later one has was there
-- in between: what looks at a hub may miss some.
WITH born AS (
  SELECT id, min(day) AS day FROM events WHERE event = 'added' GROUP BY id
),
gone AS (
  SELECT e.id, b.id IS NOT NULL AS is_known, min(e.day) AS day
  FROM events AS e
  LEFT JOIN born AS b ON b.id = e.id AND b.day <= e.day
  WHERE e.event = 'deleted'
  GROUP BY e.id, b.id IS NOT NULL
),
lives AS (
  SELECT b.id, b.day AS born, g.day AS gone
  FROM born AS b LEFT JOIN gone AS g ON g.id = b.id AND g.is_known
  UNION ALL
  SELECT g.id, NULL, g.day FROM gone AS g WHERE NOT g.is_known
),
spans AS (
  SELECT model, min(author) AS author, min(number) AS born, max(number) AS gone
  FROM history
  WHERE (SELECT count(*) FROM snapshots) > 1
  GROUP BY model
),
by_author AS (
  SELECT author, born, gone, count(*) AS n FROM spans GROUP BY author, born, gone
),
stretches AS (
  SELECT born, gone, sum(n) AS n FROM by_author GROUP BY born, gone
),
days AS (
  SELECT number, CAST(taken_at AS DATE) AS day FROM snapshots
),
looked AS (
  SELECT d.number, d.day,
    coalesce(sum(s.n) FILTER (WHERE s.born = d.number), 0) AS n,
    coalesce(sum(s.n) FILTER (WHERE s.gone = d.number - 1), 0) AS n_deleted,
    coalesce(sum(s.n) FILTER (WHERE s.born <= d.number AND s.gone >= d.number), 0) AS n_there,
    coalesce(sum(s.n) FILTER (WHERE s.born < d.number AND s.gone >= d.number - 1), 0) AS n_before
  FROM days AS d CROSS JOIN stretches AS s
  WHERE d.number > 0
  GROUP BY d.number, d.day
),
told AS (
  SELECT 'look' AS kind, 'events' AS source, day AS born, CAST(NULL AS DATE) AS gone,
    CAST(NULL AS VARCHAR) AS org_type,
    count(*) FILTER (WHERE event = 'added') AS n,
    count(*) FILTER (WHERE event = 'deleted') AS n_deleted,
    CAST(NULL AS BIGINT) AS n_there, CAST(NULL AS BIGINT) AS n_before
  FROM events GROUP BY day
  UNION ALL
  SELECT 'look', 'snapshots', day, CAST(NULL AS DATE), CAST(NULL AS VARCHAR),
    CAST(sum(n) AS BIGINT), CAST(sum(n_deleted) AS BIGINT), CAST(max(n_there) AS BIGINT),
    CAST(max(n_before) AS BIGINT)
  FROM looked GROUP BY day
  UNION ALL
  SELECT 'life', 'events', l.born, l.gone, coalesce(o.org_type, 'other'), count(*),
    CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), CAST(NULL AS BIGINT)
  FROM lives AS l
  LEFT JOIN known_owners AS o
    ON o.author = CASE WHEN l.id LIKE '%/%' THEN split_part(l.id, '/', 1) END
  GROUP BY l.born, l.gone, coalesce(o.org_type, 'other')
  UNION ALL
  SELECT 'life', 'snapshots', CASE WHEN s.born > 0 THEN b.day END, g.day,
    coalesce(o.org_type, 'other'), CAST(sum(s.n) AS BIGINT), CAST(NULL AS BIGINT),
    CAST(NULL AS BIGINT), CAST(NULL AS BIGINT)
  FROM by_author AS s
  JOIN days AS b ON b.number = s.born
  LEFT JOIN days AS g ON g.number = s.gone + 1
  LEFT JOIN known_owners AS o ON o.author = s.author
  GROUP BY CASE WHEN s.born > 0 THEN b.day END, g.day, coalesce(o.org_type, 'other')
)
SELECT kind, source, born, gone, org_type, n, n_deleted, n_there, n_before
FROM told
ORDER BY kind, source, born, gone, org_type
