-- The category not held: the first view of each person, then any purchase within the window. For comparison.
SELECT entries.category, count(*) AS viewers, count(entries.converted_ms) AS converted
FROM (
    SELECT first_views.uid, first_views.category, min(lines.time_ms) AS converted_ms
    FROM (
        SELECT uid, category, time_ms
        FROM (
            SELECT
                uid,
                category,
                time_ms,
                row_number() OVER (
                    PARTITION BY uid
                    ORDER BY time_ms, message_id NULLS LAST, line_index NULLS FIRST, row_id
                ) AS view_number
            FROM activity
            WHERE
                event = $view_event AND uid IS NOT NULL
                AND time_ms >= $from_ms AND time_ms < $to_ms
        ) AS numbered
        WHERE view_number = 1
    ) AS first_views
    LEFT JOIN purchase_lines AS lines
        ON
            lines.uid = first_views.uid
            AND lines.time_ms >= first_views.time_ms - 2000
            AND lines.time_ms <= first_views.time_ms + $window_ms
    GROUP BY first_views.uid, first_views.category
) AS entries
GROUP BY entries.category
