-- Rows of each person within the range.
SELECT uid, count(*) AS events
FROM activity
WHERE uid IS NOT NULL AND time_ms >= $from_ms AND time_ms < $to_ms
GROUP BY uid
