-- Sums of money, exact, and of net revenue squared, per currency and by who was active when.
SELECT
    currency, active_before, active_after,
    sum(gross_before) AS gross_before,
    sum(refunds_before) AS refunds_before,
    sum(gross_after) AS gross_after,
    sum(refunds_after) AS refunds_after,
    sum(net_before * net_before) AS before_squared,
    sum(net_after * net_after) AS after_squared,
    sum(net_before * net_after) AS product,
    sum(unpriced_orders) AS unpriced_orders,
    sum(fallback_orders) AS fallback_orders,
    sum(foreign_refunds) AS foreign_refunds
FROM (
    SELECT
        money.*,
        coalesce(active.active_before, 0) AS active_before,
        coalesce(active.active_after, 0) AS active_after,
        coalesce(CAST(money.gross_before AS DOUBLE), CAST(0 AS DOUBLE)) - coalesce(CAST(money.refunds_before AS DOUBLE), CAST(0 AS DOUBLE))
            AS net_before,
        coalesce(CAST(money.gross_after AS DOUBLE), CAST(0 AS DOUBLE)) - coalesce(CAST(money.refunds_after AS DOUBLE), CAST(0 AS DOUBLE))
            AS net_after
    FROM compared_money_people AS money
    LEFT JOIN compared_active AS active ON active.uid = money.uid
) AS people
GROUP BY currency, active_before, active_after
