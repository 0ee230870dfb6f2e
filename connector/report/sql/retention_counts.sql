-- People born (without a bracket) and people who came back.
SELECT bucket, reached, CAST(NULL AS BIGINT) AS bracket, people
FROM retention_sizes
UNION ALL
SELECT bucket, reached, CAST(bracket AS BIGINT) AS bracket, people
FROM returned
