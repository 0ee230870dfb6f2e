-- What each exposed person ordered in their window, per currency.
SELECT
    people.uid, people.variant, money.currency, sum(money.orders) AS orders,
    sum(coalesce(money.gross, CAST(0 AS DECIMAL(18, 6)))) AS gross,
    sum(money.refunded) AS refunded
FROM experiment_people AS people
INNER JOIN money
    ON money.uid = people.uid AND money.booked_ms >= people.exposed_ms AND money.booked_ms <= people.end_ms
GROUP BY people.uid, people.variant, money.currency
