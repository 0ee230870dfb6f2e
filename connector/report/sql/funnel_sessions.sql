-- Rows with the session they belong to: a gap of 30 minutes ends one, and so does local midnight.
SELECT
    *,
    count(session_start) OVER (
        PARTITION BY uid ORDER BY time_ms RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS session_number
FROM (
    SELECT
        *,
        CASE
            WHEN
                before_ms IS NULL
                OR time_ms - before_ms >= 1800000
                OR local_day(time_ms) <> local_day(before_ms)
                THEN 1
        END AS session_start
    FROM (
        SELECT *, lag(time_ms) OVER (PARTITION BY uid ORDER BY time_ms) AS before_ms
        FROM activity
        WHERE uid IS NOT NULL
    ) AS looking_back
) AS started
