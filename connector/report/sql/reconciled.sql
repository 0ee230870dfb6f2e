-- Orders against their lines per local day and currency. All rows but copies: a repeated order stands beside its lines.
SELECT
    day_number,
    currency,
    sum(CASE WHEN line_index IS NULL THEN 1 ELSE 0 END) AS orders,
    sum(CASE WHEN line_index IS NULL THEN 0 ELSE 1 END) AS product_rows,
    sum(line_revenue) AS item_value,
    sum(order_revenue) AS revenue,
    sum(CASE WHEN line_index IS NULL THEN discount END) AS discount,
    sum(is_repeat) AS repeated_orders
FROM (
    SELECT
        rows_.currency,
        rows_.line_index,
        rows_.line_revenue,
        rows_.order_revenue,
        rows_.discount,
        local_day(rows_.time_ms) AS day_number,
        CASE WHEN rows_.line_index IS NULL AND sales.row_id IS NULL THEN 1 ELSE 0 END AS is_repeat
    FROM activity AS rows_
    LEFT JOIN sales ON sales.row_id = rows_.row_id
    WHERE
        rows_.time_ms >= $from_ms AND rows_.time_ms < $to_ms
        AND (
            (rows_.event = 'Order Completed' AND rows_.line_index IS NULL)
            OR (rows_.event = 'Product Purchased' AND rows_.line_index IS NOT NULL)
        )
) AS dated
GROUP BY day_number, currency
