-- Refunds and cancellations of the range whose order is not known. They are reported and not subtracted.
SELECT
    claims.currency,
    count(*) AS refunds,
    sum(claims.refund_amount) AS amount,
    sum(CASE WHEN claims.refund_amount IS NULL THEN 1 ELSE 0 END) AS without_amount
FROM activity AS claims
LEFT JOIN sales ON sales.source = claims.source AND sales.order_id = claims.order_id
WHERE
    claims.event IN ('Order Refunded', 'Order Cancelled')
    AND claims.time_ms >= $from_ms AND claims.time_ms < $to_ms
    AND sales.row_id IS NULL
GROUP BY claims.currency
