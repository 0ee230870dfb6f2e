-- Every entry, and every one again that a purchase in its category followed, from 2 seconds before to the window's end.
SELECT uid, category, period, 1 AS viewers, 0 AS converted
FROM conversion_entries
UNION ALL
SELECT uid, category, period, 0 AS viewers, 1 AS converted
FROM (
    SELECT DISTINCT entries.uid, entries.category, entries.period
    FROM conversion_entries AS entries
    INNER JOIN purchase_lines AS lines
        ON
            lines.uid = entries.uid
            AND lines.category = entries.category
            AND lines.time_ms >= entries.entry_ms - 2000
            AND lines.time_ms <= entries.entry_ms + $window_ms
) AS followed
