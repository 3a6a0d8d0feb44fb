-- The most used models by licence.
SELECT license_or_none AS licence,
  license_class AS class,
  count(*) AS n
FROM universe
GROUP BY license_or_none, license_class
ORDER BY n DESC, licence
