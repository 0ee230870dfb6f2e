-- Money, orders and buyers per series, period and currency.
SELECT
    cohort,
    period,
    currency,
    sum(gross) AS gross,
    sum(refunded) AS refunds,
    sum(orders) AS orders,
    count(DISTINCT CASE WHEN orders = 1 THEN uid END) AS buyers,
    sum(unpriced_orders) AS unpriced_orders,
    sum(fallback_orders) AS fallback_orders,
    sum(foreign_refunds) AS foreign_refunds
FROM series
GROUP BY cohort, period, currency
