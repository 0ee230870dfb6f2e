-- People who did an event within a time, as often or as much as asked. For profiles and counts of one person.
SELECT uid
FROM resolved
WHERE
    event = $event
    AND uid IS NOT NULL
    AND time_ms IS NOT NULL
    AND ($from_ms IS NULL OR (day >= $from_day AND time_ms >= $from_ms))
    AND ($before_ms IS NULL OR (day <= $before_day AND time_ms < $before_ms))
    AND $kept
GROUP BY uid
HAVING $enough
