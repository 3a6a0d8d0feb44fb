-- Downloads of the most used models by licence, and what a single model does to each share.
SELECT license_or_none AS licence,
  license_class AS class,
  count(*) AS n,
  CAST(coalesce(sum(downloads_30d) FILTER (WHERE NOT is_flagged), 0) AS BIGINT) AS dl,
  coalesce(max(downloads_30d) FILTER (WHERE NOT is_flagged), 0) AS dl_largest,
  CAST(coalesce(sum(downloads_30d) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged
FROM universe
GROUP BY license_or_none, license_class
ORDER BY dl DESC, licence
