-- Order Completed rows, those of each order of a source numbered from the earliest on.
SELECT
    source, order_id, row_id, uid, time_ms, currency, order_revenue, order_revenue_from, discount,
    row_number() OVER (
        PARTITION BY source, coalesce(order_id, row_id) ORDER BY time_ms NULLS LAST, row_id
    ) AS sale_number
FROM resolved
WHERE event = 'Order Completed' AND line_index IS NULL AND ($source IS NULL OR source = $source)
