-- Rows of activity, each with its person's session: half an hour without a row ends one, and so does midnight.
SELECT
    *,
    sum(
        CASE
            WHEN
                previous_ms IS NULL
                OR time_ms - previous_ms >= 1800000
                OR local_day(time_ms) <> local_day(previous_ms)
                THEN 1
            ELSE 0
        END
    ) OVER (
        PARTITION BY uid ORDER BY time_ms, row_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS session_number
FROM (
    SELECT *, lag(time_ms) OVER (PARTITION BY uid ORDER BY time_ms, row_id) AS previous_ms
    FROM activity
) AS neighbours
