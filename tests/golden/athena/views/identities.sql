CREATE OR REPLACE VIEW identities AS
WITH unique_aliases AS (
  SELECT
    *
  FROM aliases
), unique_events AS (
  SELECT
    *
  FROM events
), unique_profiles AS (
  SELECT
    *
  FROM profiles
), links AS (
  SELECT
    anonymous_id,
    user_id,
    CAST(TO_UNIXTIME(timestamp) * 1000 AS BIGINT) AS time_ms,
    message_id,
    line_index,
    row_id
  FROM unique_events
  WHERE
    anonymous_id <> '' AND user_id <> ''
  UNION ALL
  SELECT
    anonymous_id,
    user_id,
    CAST(TO_UNIXTIME(timestamp) * 1000 AS BIGINT) AS time_ms,
    message_id,
    CAST(NULL AS INTEGER) AS line_index,
    row_id
  FROM unique_profiles
  WHERE
    anonymous_id <> '' AND user_id <> ''
  UNION ALL
  SELECT
    anonymous_id,
    user_id,
    CAST(TO_UNIXTIME(timestamp) * 1000 AS BIGINT) AS time_ms,
    message_id,
    CAST(NULL AS INTEGER) AS line_index,
    row_id
  FROM unique_aliases
  WHERE
    anonymous_id <> '' AND user_id <> ''
  UNION ALL
  SELECT
    previous_id AS anonymous_id,
    user_id,
    CAST(TO_UNIXTIME(timestamp) * 1000 AS BIGINT) AS time_ms,
    message_id,
    CAST(NULL AS INTEGER) AS line_index,
    row_id
  FROM unique_aliases
  WHERE
    previous_id <> '' AND user_id <> ''
), identity_rows AS (
  SELECT
    anonymous_id,
    user_id,
    time_ms AS linked_at_ms,
    row_id
  FROM (
    SELECT
      *,
      ROW_NUMBER() OVER (
        PARTITION BY anonymous_id
        ORDER BY time_ms, message_id, line_index NULLS FIRST, row_id
      ) AS statement_number
    FROM links
  ) AS numbered
  WHERE
    statement_number = 1
)
SELECT
  *
FROM identity_rows
