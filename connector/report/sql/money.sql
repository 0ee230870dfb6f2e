-- Sales and refunds as one list: time_ms is when a row happened, booked_ms the moment on which it counts.
SELECT
    uid,
    currency,
    time_ms,
    time_ms AS booked_ms,
    gross,
    CAST(0 AS DECIMAL(18, 6)) AS refunded,
    1 AS orders,
    CASE WHEN gross IS NULL THEN 1 ELSE 0 END AS unpriced_orders,
    CASE WHEN order_revenue_from <> 'revenue' THEN 1 ELSE 0 END AS fallback_orders,
    0 AS foreign_refunds
FROM sales
UNION ALL
SELECT
    uid,
    currency,
    time_ms,
    $refund_booked_ms AS booked_ms,
    CAST(0 AS DECIMAL(18, 6)) AS gross,
    refunded,
    0 AS orders,
    0 AS unpriced_orders,
    0 AS fallback_orders,
    CASE WHEN takes_rest = 0 AND stated_currency <> currency THEN 1 ELSE 0 END AS foreign_refunds
FROM refunds
