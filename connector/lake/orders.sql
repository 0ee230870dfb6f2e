-- One row per order of a source: its first sale, and what was given back, at most what was paid.
-- A cancellation, or a refund that states no amount, gives back the whole rest.
WITH sales AS (
    SELECT
        source, order_id, currency, user_id, anonymous_id, timestamp, day, line_count, order_revenue,
        row_number() OVER (
            PARTITION BY source, coalesce(order_id, row_id) ORDER BY timestamp NULLS LAST, row_id
        ) AS sale_number
    FROM events
    WHERE event = 'Order Completed' AND line_index IS NULL
),

returns AS (
    SELECT
        source,
        order_id,
        sum(refund_amount) AS stated,
        max(CASE WHEN event = 'Order Cancelled' OR refund_amount IS NULL THEN 1 ELSE 0 END) AS takes_rest
    FROM events
    WHERE event IN ('Order Refunded', 'Order Cancelled') AND order_id IS NOT NULL
    GROUP BY source, order_id
)

SELECT
    sales.source,
    sales.order_id,
    sales.currency,
    sales.user_id,
    sales.anonymous_id,
    sales.timestamp,
    sales.day,
    sales.line_count,
    sales.order_revenue AS gross,
    CASE
        WHEN returns.order_id IS NULL THEN CAST(0 AS DECIMAL(18, 6))
        WHEN returns.takes_rest = 1 OR sales.order_revenue IS NULL THEN sales.order_revenue
        ELSE CAST(least(returns.stated, sales.order_revenue) AS DECIMAL(18, 6))
    END AS refunded
FROM sales
LEFT JOIN returns ON returns.source = sales.source AND returns.order_id = sales.order_id
WHERE sales.sale_number = 1
