-- Who had any event before (period 0) and after (period 1).
SELECT
    uid,
    max(CASE WHEN period = 0 THEN 1 ELSE 0 END) AS active_before,
    max(CASE WHEN period = 1 THEN 1 ELSE 0 END) AS active_after
FROM active_people
GROUP BY uid
