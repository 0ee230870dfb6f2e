-- Each person with the number of days in a period on which they were active.
SELECT uid, period, count(*) AS days
FROM (
    SELECT uid, $period AS period
    FROM (SELECT uid, active_day AS day_number FROM active_days) AS days
) AS dated
GROUP BY uid, period
