-- Each person's first view of each category within the range: where a held funnel begins.
SELECT uid, category, min(time_ms) AS entry_ms
FROM activity
WHERE
    event = $view_event AND uid IS NOT NULL AND category IS NOT NULL
    AND time_ms >= $from_ms AND time_ms < $to_ms
GROUP BY uid, category
