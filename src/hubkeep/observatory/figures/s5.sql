-- Downloads of the most used models by task.
SELECT task_or_none AS task,
  modality,
  count(*) AS n,
  CAST(coalesce(sum(downloads_30d) FILTER (WHERE NOT is_flagged), 0) AS BIGINT) AS dl,
  coalesce(max(downloads_30d) FILTER (WHERE NOT is_flagged), 0) AS dl_largest,
  CAST(coalesce(sum(downloads_30d) FILTER (WHERE is_flagged), 0) AS BIGINT) AS dl_flagged
FROM universe
GROUP BY task_or_none, modality
ORDER BY dl DESC, task
