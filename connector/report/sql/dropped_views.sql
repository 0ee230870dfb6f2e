-- Each person's views of one category within the range, and the product of the last.
SELECT
    uid,
    count(*) AS views,
    min(time_ms) AS first_view_ms,
    max(time_ms) AS last_view_ms,
    max(CASE WHEN from_last = 1 THEN coalesce(name, product_id) END) AS last_product
FROM (
    SELECT
        uid, time_ms, name, product_id,
        row_number() OVER (
            PARTITION BY uid
            ORDER BY
                time_ms DESC, message_id DESC NULLS FIRST, line_index DESC NULLS LAST, row_id DESC
        ) AS from_last
    FROM activity
    WHERE
        event = $view_event AND category = $category AND uid IS NOT NULL
        AND time_ms >= $from_ms AND time_ms < $to_ms
) AS numbered
GROUP BY uid
