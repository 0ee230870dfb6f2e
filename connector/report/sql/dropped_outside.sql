-- The first purchase in one category that lies outside the window of the person's attempt, at any time.
SELECT attempts.uid, min(lines.time_ms) AS bought_ms
FROM category_attempts AS attempts
INNER JOIN every_purchase_line AS lines
    ON
        lines.uid = attempts.uid
        AND lines.category = attempts.category
        AND (lines.time_ms < attempts.entry_ms - 2000 OR lines.time_ms > attempts.entry_ms + $window_ms)
WHERE attempts.category = $category
GROUP BY attempts.uid
