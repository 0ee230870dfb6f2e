-- Each person's first view of each category in each period: every period has a funnel of its own.
SELECT uid, category, period, min(time_ms) AS entry_ms
FROM (
    SELECT uid, category, time_ms, $period AS period
    FROM (
        SELECT uid, category, time_ms, local_day(time_ms) AS day_number
        FROM activity
        WHERE
            event = $view_event AND uid IS NOT NULL AND category IS NOT NULL
            AND time_ms >= $from_ms AND time_ms < $to_ms AND $wanted
    ) AS dated
) AS viewed
GROUP BY uid, category, period
