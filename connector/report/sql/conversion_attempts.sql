-- For each entry: the first purchase in its category, from 2 seconds before it to the window's end.
SELECT entries.uid, entries.category, entries.period, entries.entry_ms, min(lines.time_ms) AS converted_ms
FROM conversion_entries AS entries
LEFT JOIN purchase_lines AS lines
    ON
        lines.uid = entries.uid
        AND lines.category = entries.category
        AND lines.time_ms >= entries.entry_ms - 2000
        AND lines.time_ms <= entries.entry_ms + $window_ms
GROUP BY entries.uid, entries.category, entries.period, entries.entry_ms
