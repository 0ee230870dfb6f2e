-- The brackets of units after birth in which each person came back, each once.
SELECT DISTINCT uid, bucket, reached, $bracket AS bracket
FROM (
    SELECT
        people.uid, people.bucket, people.reached,
        whole(greatest(later.point - people.point, 0), $width) AS units
    FROM retention_people AS people
    INNER JOIN retention_later AS later ON later.uid = people.uid AND later.time_ms > people.birth_ms
) AS returned
WHERE units <= $last_unit
