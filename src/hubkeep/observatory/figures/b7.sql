-- Models and downloads by age, and, where there are several snapshots, how many models of each
-- quarter took from which snapshot to which to fall to half of their peak.
WITH last_one AS (
  SELECT number, taken_at FROM snapshots WHERE number = (SELECT max(number) FROM snapshots)
),
aged AS (
  SELECT m.downloads_30d, m.is_flagged,
    CASE WHEN m.created_at IS NULL THEN 10 WHEN m.is_censored THEN 9
      WHEN m.created_at > l.taken_at - INTERVAL 30 DAY THEN 0
      WHEN m.created_at > l.taken_at - INTERVAL 91 DAY THEN 1
      WHEN m.created_at > l.taken_at - INTERVAL 182 DAY THEN 2
      WHEN m.created_at > l.taken_at - INTERVAL 365 DAY THEN 3
      WHEN m.created_at > l.taken_at - INTERVAL 730 DAY THEN 4
      WHEN m.created_at > l.taken_at - INTERVAL 1095 DAY THEN 5
      WHEN m.created_at > l.taken_at - INTERVAL 1461 DAY THEN 6
      WHEN m.created_at > l.taken_at - INTERVAL 1826 DAY THEN 7
      ELSE 8 END AS place
  FROM models AS m CROSS JOIN last_one AS l
),
ages AS (
  SELECT place,
    count(*) AS n,
    CAST(sum(downloads_30d) FILTER (WHERE NOT is_flagged) AS BIGINT) AS dl,
    CAST(sum(
      CAST(downloads_30d AS DECIMAL(19, 0)) * CAST(downloads_30d AS DECIMAL(19, 0))
    ) FILTER (WHERE NOT is_flagged) AS DOUBLE) AS dl_square,
    max(downloads_30d) FILTER (WHERE NOT is_flagged) AS dl_largest,
    CAST(coalesce(sum(downloads_30d) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged,
    count(*) FILTER (WHERE downloads_30d IS NULL) AS n_missing_downloads,
    count(*) FILTER (WHERE is_flagged) AS n_flagged
  FROM aged
  GROUP BY place
),
wanted AS (
  SELECT model FROM history
  WHERE (SELECT number FROM last_one) > 1 AND downloads_30d >= $min_peak
  GROUP BY model
),
seen AS (
  SELECT h.number, h.model, max(h.downloads_30d) AS dl
  FROM history AS h JOIN wanted AS w ON w.model = h.model
  WHERE (SELECT number FROM last_one) > 1 AND h.downloads_30d IS NOT NULL
  GROUP BY h.number, h.model
),
peaks AS (
  SELECT model, max(dl) AS peak, max(number) AS last_number FROM seen GROUP BY model
),
peaked AS (
  SELECT s.model, p.peak, p.last_number, min(s.number) AS peak_number
  FROM seen AS s JOIN peaks AS p ON p.model = s.model AND p.peak = s.dl
  GROUP BY s.model, p.peak, p.last_number
),
halved AS (
  SELECT s.model, min(s.number) AS number
  FROM seen AS s JOIN peaked AS p ON p.model = s.model
  WHERE s.number > p.peak_number AND 2 * s.dl <= p.peak
  GROUP BY s.model
),
cohorts AS (
  SELECT coalesce(a.new, m.id) AS model,
    min(CASE WHEN m.quarter IS NULL THEN 'no date' WHEN m.is_censored THEN 'before March 2022'
      ELSE CAST(m.quarter AS VARCHAR) END) AS cohort
  FROM models AS m
  LEFT JOIN known_aliases AS a ON a.old = m.id
  JOIN wanted AS w ON w.model = coalesce(a.new, m.id)
  WHERE (SELECT number FROM last_one) > 1
  GROUP BY coalesce(a.new, m.id) HAVING NOT bool_or(m.is_flagged)
),
spans AS (
  SELECT c.cohort, p.peak_number AS since, coalesce(h.number, p.last_number) AS until,
    h.number IS NOT NULL AS has_ended, count(*) AS n
  FROM peaked AS p
  JOIN cohorts AS c ON c.model = p.model
  LEFT JOIN halved AS h ON h.model = p.model
  GROUP BY c.cohort, p.peak_number, coalesce(h.number, p.last_number), h.number IS NOT NULL
)
SELECT 'age' AS part, place,
  CASE place WHEN 0 THEN 'under 1 month' WHEN 1 THEN '1-3 months' WHEN 2 THEN '3-6 months'
    WHEN 3 THEN '6-12 months' WHEN 4 THEN '1-2 years' WHEN 5 THEN '2-3 years'
    WHEN 6 THEN '3-4 years' WHEN 7 THEN '4-5 years' WHEN 8 THEN 'over 5 years'
    WHEN 9 THEN 'before March 2022' ELSE 'no date' END AS name,
  n, dl, dl_square, dl_largest, dl_flagged, n_missing_downloads, n_flagged,
  CAST(NULL AS BIGINT) AS since, CAST(NULL AS BIGINT) AS until, false AS has_ended
FROM ages
UNION ALL
SELECT 'half-life' AS part, CASE cohort WHEN 'before March 2022' THEN 11 WHEN 'no date' THEN 13
    ELSE 12 END AS place,
  cohort AS name, n, CAST(NULL AS BIGINT) AS dl, CAST(NULL AS DOUBLE) AS dl_square,
  CAST(NULL AS BIGINT) AS dl_largest, CAST(NULL AS BIGINT) AS dl_flagged,
  CAST(NULL AS BIGINT) AS n_missing_downloads, CAST(NULL AS BIGINT) AS n_flagged,
  since, until, has_ended
FROM spans
ORDER BY place, name, since, until, has_ended
