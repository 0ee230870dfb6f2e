-- People by the last bracket of their streak: they came back in it and in every one before.
SELECT bucket, reached, length - 1 AS bracket, count(*) AS people
FROM (
    SELECT uid, bucket, reached, count(*) AS length
    FROM (
        SELECT
            uid, bucket, reached, bracket,
            row_number() OVER (PARTITION BY uid, bucket ORDER BY bracket) AS place
        FROM retention_returns
    ) AS numbered
    WHERE bracket = place - 1
    GROUP BY uid, bucket, reached
) AS streaks
GROUP BY bucket, reached, length
