-- Rows of one metric under every different item of their list; rows without items once, under nothing.
SELECT uid, row_id, time_ms, message_id, line_index, period, segment, item_number, property, currency
FROM (
    SELECT
        *,
        row_number() OVER (PARTITION BY row_id, segment ORDER BY item_number) AS copy_number
    FROM (
        SELECT
            listed.uid, listed.row_id, listed.time_ms, listed.message_id, listed.line_index, listed.period,
            $item AS segment, coalesce(numbers.item_number, CAST(1 AS BIGINT)) AS item_number,
            listed.property, listed.currency
        FROM insight_rows AS listed
        LEFT JOIN item_numbers AS numbers ON numbers.item_number <= items(listed.segment)
    ) AS every_item
) AS numbered
WHERE copy_number = 1
