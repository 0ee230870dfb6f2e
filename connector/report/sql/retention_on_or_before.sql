-- People by the first bracket in which they came back.
SELECT bucket, reached, bracket, count(*) AS people
FROM (
    SELECT uid, bucket, reached, min(bracket) AS bracket
    FROM retention_returns
    GROUP BY uid, bucket, reached
) AS first_returns
GROUP BY bucket, reached, bracket
