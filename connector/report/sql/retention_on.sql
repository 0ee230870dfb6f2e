-- People who came back in each bracket.
SELECT bucket, reached, bracket, count(*) AS people
FROM retention_returns
GROUP BY bucket, reached, bracket
