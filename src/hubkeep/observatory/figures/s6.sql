-- Likes and downloads of models, as pairs and how many models have each.
SELECT 'U' AS universe, downloads_30d AS downloads, likes, is_flagged, count(*) AS n
FROM universe
WHERE downloads_30d IS NOT NULL AND likes IS NOT NULL
GROUP BY downloads_30d, likes, is_flagged
UNION ALL
SELECT 'all' AS universe, downloads_30d AS downloads, likes, is_flagged, count(*) AS n
FROM models
WHERE downloads_30d IS NOT NULL AND likes IS NOT NULL
GROUP BY downloads_30d, likes, is_flagged
ORDER BY universe, downloads, likes, is_flagged
