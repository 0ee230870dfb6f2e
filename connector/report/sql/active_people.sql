-- Each person once in every period with any event of theirs.
SELECT DISTINCT uid, $period AS period
FROM (
    SELECT uid, local_day(time_ms) AS day_number
    FROM activity
    WHERE uid IS NOT NULL AND time_ms >= $from_ms AND time_ms < $to_ms
) AS dated
