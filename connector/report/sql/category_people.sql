-- People and rows per category within the range, in no order: who viewed, who bought. For comparison.
SELECT
    category,
    count(DISTINCT CASE WHEN kind = 'view' THEN uid END) AS viewers,
    count(DISTINCT CASE WHEN kind = 'purchase' THEN uid END) AS buyers,
    count(CASE WHEN kind = 'view' THEN 1 END) AS view_rows,
    count(CASE WHEN kind = 'purchase' THEN 1 END) AS purchase_rows
FROM (
    SELECT category, uid, 'view' AS kind
    FROM activity
    WHERE event = $view_event AND time_ms >= $from_ms AND time_ms < $to_ms
    UNION ALL
    SELECT category, uid, 'purchase' AS kind
    FROM purchase_lines
    WHERE time_ms >= $from_ms AND time_ms < $to_ms
) AS both_kinds
GROUP BY category
