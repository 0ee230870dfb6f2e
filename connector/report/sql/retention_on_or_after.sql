-- People by the last bracket in which they came back; whoever came back after all of them counts in the last.
SELECT bucket, reached, bracket, count(*) AS people
FROM (
    SELECT bucket, reached, $bracket AS bracket
    FROM (
        SELECT
            people.bucket, people.reached,
            least(whole(greatest(later.point - people.point, 0), $width), $last_unit) AS units
        FROM retention_people AS people
        INNER JOIN retention_last AS later ON later.uid = people.uid AND later.time_ms > people.birth_ms
    ) AS returned
) AS last_returns
GROUP BY bucket, reached, bracket
