-- The first models by likes and by downloads, with their ranks in both. Lists are longer than asked
-- for, since the overlap is drawn for many lengths; their last place is where one moves up from.
WITH liked AS (
  SELECT id, likes, downloads_30d, is_flagged FROM models
  WHERE likes IS NOT NULL
  ORDER BY likes DESC, id LIMIT 1000
),
loaded AS (
  SELECT id, likes, downloads_30d, is_flagged FROM models
  WHERE downloads_30d IS NOT NULL AND NOT is_flagged
  ORDER BY downloads_30d DESC, id LIMIT 1000
),
claimed AS (
  SELECT id, likes, downloads_30d, is_flagged FROM models
  WHERE downloads_30d IS NOT NULL AND is_flagged
  ORDER BY downloads_30d DESC, id LIMIT 1000
),
places AS (
  SELECT id, likes, downloads_30d, is_flagged,
    row_number() OVER (ORDER BY likes DESC, id) AS place_likes,
    CAST(NULL AS BIGINT) AS place_downloads
  FROM liked
  UNION ALL
  SELECT id, likes, downloads_30d, is_flagged, CAST(NULL AS BIGINT) AS place_likes,
    row_number() OVER (ORDER BY downloads_30d DESC, id) AS place_downloads
  FROM loaded
  UNION ALL
  SELECT id, likes, downloads_30d, is_flagged, CAST(NULL AS BIGINT) AS place_likes,
    CAST(NULL AS BIGINT) AS place_downloads
  FROM claimed
),
placed AS (
  SELECT id, likes, downloads_30d, is_flagged, max(place_likes) AS place_likes,
    max(place_downloads) AS place_downloads
  FROM places
  GROUP BY id, likes, downloads_30d, is_flagged
),
numbers AS (
  SELECT likes, CASE WHEN is_flagged THEN NULL ELSE downloads_30d END AS downloads, count(*) AS n
  FROM models
  GROUP BY likes, CASE WHEN is_flagged THEN NULL ELSE downloads_30d END
),
by_likes AS (
  SELECT likes, CAST(sum(sum(n)) OVER (ORDER BY likes DESC) - sum(n) + 1 AS BIGINT) AS rank_likes
  FROM numbers WHERE likes IS NOT NULL
  GROUP BY likes
),
by_downloads AS (
  SELECT downloads,
    CAST(sum(sum(n)) OVER (ORDER BY downloads DESC) - sum(n) + 1 AS BIGINT) AS rank_downloads
  FROM numbers WHERE downloads IS NOT NULL
  GROUP BY downloads
)
SELECT p.id AS model, p.likes, p.downloads_30d AS downloads, p.is_flagged, p.place_likes,
  p.place_downloads, l.rank_likes,
  CASE WHEN NOT p.is_flagged THEN d.rank_downloads END AS rank_downloads
FROM placed AS p
LEFT JOIN by_likes AS l ON l.likes = p.likes
LEFT JOIN by_downloads AS d ON d.downloads = p.downloads_30d
ORDER BY CASE WHEN p.place_likes IS NULL THEN 1 ELSE 0 END, p.place_likes,
  CASE WHEN p.place_downloads IS NULL THEN 1 ELSE 0 END, p.place_downloads, p.downloads_30d DESC,
  p.id
