-- Each person once in every period with a birth event, born at the first of it. point: what units are counted from.
SELECT uid, bucket, min(time_ms) AS birth_ms, min_by(point, time_ms) AS point
FROM (
    SELECT uid, time_ms, point, $bucket AS bucket
    FROM (
        SELECT uid, time_ms, local_day(time_ms) AS day_number, $point AS point
        FROM activity
        WHERE uid IS NOT NULL AND time_ms >= $from_ms AND time_ms < $to_ms AND $birth
    ) AS dated
) AS births
GROUP BY uid, bucket
