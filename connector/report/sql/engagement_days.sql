-- Active days, each with the person's next one.
SELECT uid, active_day, lead(active_day) OVER (PARTITION BY uid ORDER BY active_day) AS next_day
FROM active_days
