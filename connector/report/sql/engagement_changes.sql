-- By how many people each count differs from the day before: a person comes in on an active day and leaves 1, 7 or 30
-- days later, or on the next active day, when they come in again.
SELECT change_day, sum(dau) AS dau, sum(wau) AS wau, sum(mau) AS mau
FROM (
    SELECT active_day AS change_day, 1 AS dau, 1 AS wau, 1 AS mau
    FROM engagement_days
    UNION ALL
    SELECT active_day + 1 AS change_day, -1 AS dau, 0 AS wau, 0 AS mau
    FROM engagement_days
    UNION ALL
    SELECT least(active_day + 7, next_day) AS change_day, 0 AS dau, -1 AS wau, 0 AS mau
    FROM engagement_days
    UNION ALL
    SELECT least(active_day + 30, next_day) AS change_day, 0 AS dau, 0 AS wau, -1 AS mau
    FROM engagement_days
) AS changes
GROUP BY change_day
