-- Rows of one metric, each with its period and segment, and the currency where its property is money.
SELECT
    uid,
    row_id,
    time_ms,
    message_id,
    line_index,
    $period AS period,
    $segment AS segment,
    CAST(1 AS BIGINT) AS item_number,
    $property AS property,
    CASE WHEN $is_money AND $property IS NOT NULL THEN coalesce(currency, '') END AS currency
FROM activity
WHERE
    $matches
    AND time_ms >= $lead_from_ms AND time_ms < $to_ms
    AND (time_ms < $lead_to_ms OR time_ms >= $from_ms)
