-- Who made the most used models, by namespace, with the entity that each belongs to.
SELECT namespace AS author,
  entity,
  count(*) AS n,
  CAST(sum(count(*)) OVER (PARTITION BY entity) AS BIGINT) AS entity_n
FROM universe
GROUP BY namespace, entity
ORDER BY n DESC, author
