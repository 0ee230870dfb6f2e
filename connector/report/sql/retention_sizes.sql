-- People in each bucket, by how far they have got.
SELECT bucket, reached, count(*) AS people
FROM retention_people
GROUP BY bucket, reached
