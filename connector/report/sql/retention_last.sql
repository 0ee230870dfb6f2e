-- The last return event of each person.
SELECT uid, max(point) AS point, max(time_ms) AS time_ms
FROM retention_later
GROUP BY uid
