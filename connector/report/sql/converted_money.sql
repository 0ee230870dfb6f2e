-- Sales and refunds in one currency, exactly, at the rate of the local day on which each happened.
SELECT
    money.uid,
    CAST($convert_to AS VARCHAR) AS currency,
    money.time_ms,
    money.booked_ms,
    money.gross * rates.rate AS gross,
    money.refunded * rates.rate AS refunded,
    money.orders,
    money.unpriced_orders,
    money.fallback_orders,
    money.foreign_refunds
FROM money
INNER JOIN rates
    ON
        rates.currency = money.currency
        AND local_day(money.time_ms) >= rates.first_day
        AND local_day(money.time_ms) < rates.end_day
