-- People with any view of a category that a purchase in it followed within the window; no grace. For comparison.
SELECT category, count(DISTINCT uid) AS converted
FROM (
    SELECT
        uid,
        category,
        purchased_ms,
        max(viewed_ms) OVER (
            PARTITION BY uid, category ORDER BY time_ms, is_purchase
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS last_view_ms
    FROM (
        SELECT uid, category, time_ms, 0 AS is_purchase, time_ms AS viewed_ms, CAST(NULL AS BIGINT) AS purchased_ms
        FROM activity
        WHERE
            event = $view_event AND uid IS NOT NULL AND category IS NOT NULL
            AND time_ms >= $from_ms AND time_ms < $to_ms
        UNION ALL
        SELECT uid, category, time_ms, 1 AS is_purchase, CAST(NULL AS BIGINT) AS viewed_ms, time_ms AS purchased_ms
        FROM purchase_lines
        WHERE uid IS NOT NULL AND category IS NOT NULL
    ) AS both_kinds
) AS followed
WHERE purchased_ms - last_view_ms <= $window_ms
GROUP BY category
