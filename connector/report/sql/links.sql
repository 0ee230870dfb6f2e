-- Every statement that a device belongs to a user: events, identify calls, alias calls.
SELECT anonymous_id, user_id, ms_of(timestamp) AS time_ms, message_id, line_index, row_id
FROM unique_events
WHERE anonymous_id <> '' AND user_id <> ''
UNION ALL
SELECT anonymous_id, user_id, ms_of(timestamp) AS time_ms, message_id, CAST(NULL AS INT) AS line_index, row_id
FROM unique_profiles
WHERE anonymous_id <> '' AND user_id <> ''
UNION ALL
SELECT anonymous_id, user_id, ms_of(timestamp) AS time_ms, message_id, CAST(NULL AS INT) AS line_index, row_id
FROM unique_aliases
WHERE anonymous_id <> '' AND user_id <> ''
UNION ALL
SELECT
    previous_id AS anonymous_id, user_id, ms_of(timestamp) AS time_ms, message_id, CAST(NULL AS INT) AS line_index,
    row_id
FROM unique_aliases
WHERE previous_id <> '' AND user_id <> ''
