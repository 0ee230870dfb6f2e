-- What was said of giving back an order that is known; a cancellation, and a refund without an amount, takes the rest.
SELECT
    sales.source,
    sales.order_id,
    sales.uid,
    sales.currency,
    sales.time_ms AS order_ms,
    coalesce(sales.gross, CAST(0 AS DECIMAL(18, 6))) AS gross,
    claims.row_id,
    claims.time_ms,
    claims.currency AS stated_currency,
    coalesce(claims.refund_amount, CAST(0 AS DECIMAL(18, 6))) AS stated,
    CASE WHEN claims.event = 'Order Cancelled' OR claims.refund_amount IS NULL THEN 1 ELSE 0 END AS takes_rest
FROM resolved AS claims
INNER JOIN sales ON sales.source = claims.source AND sales.order_id = claims.order_id
WHERE claims.event IN ('Order Refunded', 'Order Cancelled')
