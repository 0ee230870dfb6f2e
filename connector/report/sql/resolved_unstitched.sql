-- Rows without what is known of devices: a person before and after signing in is two. For comparison only.
SELECT
    *,
    ms_of(timestamp) AS time_ms,
    coalesce(nullif(user_id, ''), '$device:' || nullif(anonymous_id, ''), nullif(distinct_id, '')) AS uid
FROM unique_events
