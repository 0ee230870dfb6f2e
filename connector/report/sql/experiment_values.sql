-- Amounts and orders, one row a person who has any.
SELECT 'revenue' AS metric, variant, currency, CAST($amount AS DECIMAL(38, 6)) AS total
FROM experiment_orders
UNION ALL
SELECT
    'orders' AS metric, variant, CAST(NULL AS VARCHAR) AS currency, CAST(sum(orders) AS DECIMAL(38, 6)) AS total
FROM experiment_orders
GROUP BY uid, variant
