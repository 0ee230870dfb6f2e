-- Amounts of people as they are.
SELECT metric, variant, currency, total, CAST(total AS DOUBLE) AS counted
FROM experiment_values
