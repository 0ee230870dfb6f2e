-- Amounts of return events, by the bracket in which they came.
SELECT bucket, currency, bracket, sum(amount) AS amount
FROM (
    SELECT bucket, currency, amount, $bracket AS bracket
    FROM (
        SELECT
            people.bucket, later.amount_currency AS currency, later.amount,
            whole(greatest(later.point - people.point, 0), $width) AS units
        FROM retention_people AS people
        INNER JOIN amounts AS later ON later.uid = people.uid AND later.time_ms > people.birth_ms
    ) AS returned
    WHERE units <= $last_unit
) AS counted
GROUP BY bucket, currency, bracket
