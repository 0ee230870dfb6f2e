-- Orders of each person before and after, whatever their currency.
SELECT
    uid,
    sum(CASE WHEN period = 0 THEN orders ELSE 0 END) AS orders_before,
    sum(CASE WHEN period = 1 THEN orders ELSE 0 END) AS orders_after
FROM booked_orders
WHERE uid IS NOT NULL
GROUP BY uid
