-- Money of each person who is compared, before and after, per currency.
SELECT
    people.uid,
    booked.currency,
    sum(CASE WHEN booked.period = 0 THEN booked.gross END) AS gross_before,
    sum(CASE WHEN booked.period = 0 THEN booked.refunded END) AS refunds_before,
    sum(CASE WHEN booked.period = 1 THEN booked.gross END) AS gross_after,
    sum(CASE WHEN booked.period = 1 THEN booked.refunded END) AS refunds_after,
    sum(booked.unpriced_orders) AS unpriced_orders,
    sum(booked.fallback_orders) AS fallback_orders,
    sum(booked.foreign_refunds) AS foreign_refunds
FROM booked
INNER JOIN compared_people AS people ON people.uid = booked.uid
GROUP BY people.uid, booked.currency
