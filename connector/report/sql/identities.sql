-- The user of each device: the first that was said of it. Not used where identities are prepared.
SELECT anonymous_id, user_id, time_ms AS linked_at_ms, row_id
FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY anonymous_id
            ORDER BY time_ms NULLS LAST, message_id NULLS LAST, line_index NULLS FIRST, row_id
        ) AS statement_number
    FROM links
) AS numbered
WHERE statement_number = 1
