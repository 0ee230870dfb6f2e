-- Sales and refunds that count in the range, each with its period.
SELECT
    uid, currency, gross, refunded, orders, unpriced_orders, fallback_orders, foreign_refunds, $period AS period
FROM (
    SELECT
        uid, currency, gross, refunded, orders, unpriced_orders, fallback_orders, foreign_refunds,
        local_day(booked_ms) AS day_number
    FROM amounts
    WHERE booked_ms >= $from_ms AND booked_ms < $to_ms
) AS dated
