-- The largest amount that counts: a percentile of what the people of all variants have who have any.
SELECT metric, coalesce(currency, '') AS currency, percentile(CAST(total AS DOUBLE), $winsorize) AS cap
FROM experiment_values
WHERE total > 0
GROUP BY metric, coalesce(currency, '')
