-- The first organisations of each type by models and by downloads, and the first models of all.
WITH typed AS (
  SELECT org_type, CASE WHEN $level = 'entity' THEN entity ELSE namespace END AS author, entity,
    id, downloads_30d, is_flagged
  FROM models
  WHERE namespace <> '(none)'
    AND ($all_types OR org_type IN ('university', 'non-profit', 'company'))
),
placed AS (
  SELECT org_type, author, entity, id, downloads_30d, is_flagged,
    row_number() OVER (
      PARTITION BY org_type, author, is_flagged ORDER BY coalesce(downloads_30d, -1) DESC, id
    ) AS place_inside
  FROM typed
),
made AS (
  SELECT org_type, author, max(entity) AS entity, count(*) AS n,
    CAST(coalesce(sum(downloads_30d) FILTER (WHERE NOT is_flagged), 0) AS BIGINT) AS dl,
    coalesce(max(downloads_30d) FILTER (WHERE NOT is_flagged), 0) AS dl_largest,
    max(CASE WHEN place_inside = 1 AND NOT is_flagged THEN id END) AS top_model,
    CAST(coalesce(sum(downloads_30d) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged
  FROM placed
  GROUP BY org_type, author
),
ranked AS (
  SELECT org_type, author, entity, n, dl, dl_largest, top_model, dl_flagged,
    row_number() OVER (PARTITION BY org_type ORDER BY n DESC, author) AS rank_n,
    row_number() OVER (PARTITION BY org_type ORDER BY dl DESC, author) AS rank_dl
  FROM made
),
whole AS (
  SELECT org_type, count(*) AS type_n,
    CAST(coalesce(sum(downloads_30d) FILTER (WHERE NOT is_flagged), 0) AS BIGINT) AS type_dl
  FROM models
  GROUP BY org_type
),
first_models AS (
  SELECT org_type, CASE WHEN $level = 'entity' THEN entity ELSE namespace END AS author, entity,
    id, downloads_30d AS dl
  FROM models
  WHERE NOT is_flagged AND downloads_30d IS NOT NULL
  ORDER BY downloads_30d DESC, id
  LIMIT $top
),
listed AS (
  SELECT 1 AS list, 'n' AS ranking, org_type, rank_n AS rank, author, entity, n, dl, dl_largest,
    top_model, dl_flagged
  FROM ranked WHERE rank_n <= $top
  UNION ALL
  SELECT 2 AS list, 'downloads' AS ranking, org_type, rank_dl AS rank, author, entity, n, dl,
    dl_largest, top_model, dl_flagged
  FROM ranked WHERE rank_dl <= $top
  UNION ALL
  SELECT 3 AS list, 'models' AS ranking, org_type,
    row_number() OVER (ORDER BY dl DESC, id) AS rank, author, entity, 1 AS n, dl, dl AS dl_largest,
    id AS top_model, 0 AS dl_flagged
  FROM first_models
)
SELECT l.list, l.ranking, l.org_type, l.rank, l.author, l.entity, l.n, l.dl, l.dl_largest,
  l.top_model, l.dl_flagged, w.type_n, w.type_dl
FROM listed AS l
JOIN whole AS w ON w.org_type = l.org_type
ORDER BY l.list, CASE WHEN l.list = 3 THEN '' ELSE l.org_type END, l.rank
