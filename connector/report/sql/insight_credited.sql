-- People per period and segment, each only in the segment of their first or last row of the period.
SELECT period, segment, count(*) AS uniques
FROM (
    SELECT
        period,
        segment,
        row_number() OVER (
            PARTITION BY uid, period
            ORDER BY time_ms, message_id NULLS LAST, line_index NULLS FIRST, row_id, item_number
        ) AS from_first,
        row_number() OVER (
            PARTITION BY uid, period
            ORDER BY
                time_ms DESC, message_id DESC NULLS FIRST, line_index DESC NULLS LAST, row_id DESC,
                item_number DESC
        ) AS from_last
    FROM insight_segments
    WHERE uid IS NOT NULL
) AS numbered
WHERE $credited = 1
GROUP BY period, segment
