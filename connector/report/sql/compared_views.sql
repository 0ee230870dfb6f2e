-- Who viewed, and who bought in time in a category that they viewed, before and after.
SELECT
    uid,
    max(CASE WHEN period = 0 THEN 1 ELSE 0 END) AS viewed_before,
    max(CASE WHEN period = 1 THEN 1 ELSE 0 END) AS viewed_after,
    max(CASE WHEN period = 0 AND converted_ms IS NOT NULL THEN 1 ELSE 0 END) AS converted_before,
    max(CASE WHEN period = 1 AND converted_ms IS NOT NULL THEN 1 ELSE 0 END) AS converted_after
FROM conversion_attempts
GROUP BY uid
