-- Who bought in a category they viewed, and when first: from 2 seconds before the view to the window's end.
SELECT entries.uid, entries.category, min(lines.time_ms) AS converted_ms
FROM category_entries AS entries
INNER JOIN purchase_lines AS lines
    ON
        lines.uid = entries.uid
        AND lines.category = entries.category
        AND lines.time_ms >= entries.entry_ms - 2000
        AND lines.time_ms <= entries.entry_ms + $window_ms
GROUP BY entries.uid, entries.category
