-- Return events, each point of a person once with its last moment.
SELECT uid, point, max(time_ms) AS time_ms
FROM (
    SELECT uid, time_ms, $point AS point
    FROM activity
    WHERE uid IS NOT NULL AND time_ms >= $from_ms AND $back
) AS later
GROUP BY uid, point
