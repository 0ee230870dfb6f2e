-- Who viewed, and who bought in time in a category that they viewed, before and after.
SELECT
    uid,
    max(CASE WHEN period = 0 THEN viewers ELSE 0 END) AS viewed_before,
    max(CASE WHEN period = 1 THEN viewers ELSE 0 END) AS viewed_after,
    max(CASE WHEN period = 0 THEN converted ELSE 0 END) AS converted_before,
    max(CASE WHEN period = 1 THEN converted ELSE 0 END) AS converted_after
FROM conversion_attempts
GROUP BY uid
