-- Refunds of known orders: what each takes, in the order's currency. The refunds of an order never exceed it:
-- each takes the least of what was stated so far and of the order, less what was taken before.
SELECT
    source, order_id, row_id, uid, currency, order_ms, time_ms, takes_rest, stated_currency,
    CAST(
        taken_so_far - coalesce(
            lag(taken_so_far) OVER (PARTITION BY source, order_id ORDER BY time_ms NULLS LAST, row_id),
            CAST(0 AS DECIMAL(18, 6))
        ) AS DECIMAL(18, 6)
    ) AS refunded
FROM (
    SELECT
        source, order_id, row_id, uid, currency, order_ms, time_ms, takes_rest, stated_currency,
        CAST(
            CASE
                WHEN
                    max(takes_rest) OVER (
                        PARTITION BY source, order_id ORDER BY time_ms NULLS LAST, row_id
                        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                    ) = 1
                    THEN gross
                ELSE
                    least(
                        sum(stated) OVER (
                            PARTITION BY source, order_id ORDER BY time_ms NULLS LAST, row_id
                            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                        ),
                        gross
                    )
            END AS DECIMAL(18, 6)
        ) AS taken_so_far
    FROM refund_claims
) AS running
