-- Currencies of the range for which no rate is known on the day of a sale or refund.
SELECT money.currency, count(*) AS left_out
FROM money
LEFT JOIN rates
    ON
        rates.currency = money.currency
        AND local_day(money.time_ms) >= rates.first_day
        AND local_day(money.time_ms) < rates.end_day
WHERE money.booked_ms >= $from_ms AND money.booked_ms < $to_ms AND rates.currency IS NULL
GROUP BY money.currency
