-- When each person's first and last rows happened, and how many there are.
SELECT
    uid,
    max(nullif(user_id, '')) AS user_id,
    min(time_ms) AS first_seen_ms,
    max(time_ms) AS last_seen_ms,
    count(*) AS events
FROM resolved
WHERE uid IS NOT NULL AND time_ms IS NOT NULL AND ($source IS NULL OR source = $source)
GROUP BY uid
