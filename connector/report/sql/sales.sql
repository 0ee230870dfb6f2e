-- Sales: the earliest Order Completed of each order of a source; later ones are retries and count nowhere.
-- gross is empty where the order states no revenue.
SELECT source, order_id, row_id, uid, time_ms, currency, order_revenue AS gross, order_revenue_from
FROM (
    SELECT
        source, order_id, row_id, uid, time_ms, currency, order_revenue, order_revenue_from,
        row_number() OVER (
            PARTITION BY source, coalesce(order_id, row_id) ORDER BY time_ms NULLS LAST, row_id
        ) AS sale_number
    FROM resolved
    WHERE event = 'Order Completed' AND line_index IS NULL AND ($source IS NULL OR source = $source)
) AS numbered
WHERE sale_number = 1
