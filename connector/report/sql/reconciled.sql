-- Orders against their lines per local day and currency. All rows but copies: a repeated order stands beside its lines.
SELECT
    day_number,
    currency,
    sum(orders) AS orders,
    sum(product_rows) AS product_rows,
    sum(line_revenue) AS item_value,
    sum(order_revenue) AS revenue,
    sum(discount) AS discount,
    sum(is_repeat) AS repeated_orders
FROM (
    SELECT
        local_day(time_ms) AS day_number, currency, 1 AS orders, 0 AS product_rows,
        CAST(NULL AS DECIMAL(18, 6)) AS line_revenue, order_revenue, discount,
        CASE WHEN sale_number = 1 THEN 0 ELSE 1 END AS is_repeat
    FROM numbered_sales
    WHERE time_ms >= $from_ms AND time_ms < $to_ms
    UNION ALL
    SELECT
        local_day(time_ms) AS day_number, currency, 0 AS orders, 1 AS product_rows,
        line_revenue, order_revenue, CAST(NULL AS DECIMAL(18, 6)) AS discount, 0 AS is_repeat
    FROM activity
    WHERE
        event = 'Product Purchased' AND line_index IS NOT NULL
        AND time_ms >= $from_ms AND time_ms < $to_ms
) AS dated
GROUP BY day_number, currency
