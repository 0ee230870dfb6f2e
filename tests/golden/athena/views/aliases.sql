CREATE OR REPLACE VIEW aliases AS
WITH one_place AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY row_id, day ORDER BY received_at, captured_file, captured_index) AS copy_number
  FROM aliases_raw
), moved AS (
  SELECT
    row_id,
    day
  FROM (
    SELECT
      row_id,
      day,
      MIN(day) OVER (PARTITION BY row_id) AS least_day,
      MAX(day) OVER (PARTITION BY row_id) AS most_day,
      ROW_NUMBER() OVER (PARTITION BY row_id ORDER BY received_at, captured_file, captured_index, day) AS copy_number
    FROM aliases_raw
  ) AS all_places
  WHERE
    copy_number = 1 AND (
      least_day <> most_day
    )
)
SELECT
  one_place.row_id,
  one_place.message_id,
  one_place.source,
  one_place.type,
  one_place.user_id,
  one_place.anonymous_id,
  one_place.distinct_id,
  one_place.previous_id,
  one_place.timestamp,
  one_place.original_timestamp,
  one_place.sent_at,
  one_place.received_at,
  one_place.context,
  one_place.envelope,
  one_place.flags,
  one_place.violations,
  one_place.proven,
  one_place.mapping,
  one_place.subscription,
  one_place.captured_file,
  one_place.captured_index,
  one_place.day
FROM one_place
LEFT JOIN moved
  ON moved.row_id = one_place.row_id
WHERE
  one_place.copy_number = 1
  AND (
    moved.row_id IS NULL OR (
      moved.day = one_place.day
    )
  )
