-- Amounts of people, cut at the largest that counts.
SELECT
    amounts.metric, amounts.variant, amounts.currency, amounts.total,
    least(CAST(amounts.total AS DOUBLE), caps.cap) AS counted
FROM experiment_values AS amounts
LEFT JOIN experiment_caps AS caps
    ON caps.metric = amounts.metric AND caps.currency = coalesce(amounts.currency, '')
