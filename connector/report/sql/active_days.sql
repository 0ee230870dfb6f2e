-- The local days on which each person was active, each once.
SELECT DISTINCT uid, local_day(time_ms) AS active_day
FROM activity
WHERE uid IS NOT NULL AND time_ms >= $reach_ms AND time_ms < $to_ms AND $active
