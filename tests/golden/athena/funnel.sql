-- connector report funnel, as SQL for Athena: rendered, not run.
-- Tables it reads: events_raw, profiles_raw, aliases_raw.
-- Each has every row of the files below tables/<name>, copies included: the columns that docs/tables.md
-- declares, and day (date) from the path. What is computed afterwards, such as p-values, is not in it.
-- approx_percentile estimates: percentiles differ a little from those of the other engines.

-- 1 of 1
WITH unique_events AS (
  /* One row per row_id, the first received. Not used where the copies are prepared. */
  SELECT
    *
  FROM (
    SELECT
      *,
      ROW_NUMBER() OVER (PARTITION BY row_id ORDER BY received_at, captured_file, captured_index) AS copy_number
    FROM events_raw
  ) AS numbered
  WHERE
    copy_number = 1
), unique_aliases AS (
  /* One row per row_id, the first received. Not used where the copies are prepared. */
  SELECT
    *
  FROM (
    SELECT
      *,
      ROW_NUMBER() OVER (PARTITION BY row_id ORDER BY received_at, captured_file, captured_index) AS copy_number
    FROM aliases_raw
  ) AS numbered
  WHERE
    copy_number = 1
), unique_profiles AS (
  /* One row per row_id, the first received. Not used where the copies are prepared. */
  SELECT
    *
  FROM (
    SELECT
      *,
      ROW_NUMBER() OVER (PARTITION BY row_id ORDER BY received_at, captured_file, captured_index) AS copy_number
    FROM profiles_raw
  ) AS numbered
  WHERE
    copy_number = 1
), links AS (
  /* Every statement that a device belongs to a user: events, identify calls, alias calls. */
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
), identities AS (
  /* The user of each device: the first that was said of it. Not used where identities are prepared. */
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
), resolved AS (
  /* Every unique row with its person: the user, else the user of the device, else the device. */
  SELECT
    rows_.*,
    CAST(TO_UNIXTIME(rows_.timestamp) * 1000 AS BIGINT) AS time_ms,
    COALESCE(
      NULLIF(rows_.user_id, ''),
      identities.user_id,
      CONCAT(CAST('$device:' AS VARCHAR), CAST(NULLIF(rows_.anonymous_id, '') AS VARCHAR)),
      NULLIF(rows_.distinct_id, '')
    ) AS uid
  FROM unique_events AS rows_
  LEFT JOIN identities
    ON identities.anonymous_id = CASE
      WHEN COALESCE(rows_.user_id, '') = ''
      THEN COALESCE(NULLIF(rows_.anonymous_id, ''), rows_.distinct_id)
    END
), activity AS (
  /* Rows of the days asked for, a day more on either side, whose time is known. */
  SELECT
    *
  FROM resolved
  WHERE
    day BETWEEN CAST('2026-03-20' AS DATE) AND CAST('2026-04-18' AS DATE)
    AND NOT time_ms IS NULL
), funnel_rows AS (
  SELECT
    *
  FROM (
    SELECT
      uid,
      time_ms,
      message_id,
      line_index,
      row_id,
      category AS held_1,
      (
        CAST((
          time_ms + CASE
            WHEN time_ms >= 1806195600000
            THEN 7200000
            WHEN time_ms >= 1792890000000
            THEN 3600000
            WHEN time_ms >= 1774746000000
            THEN 7200000
            WHEN time_ms >= 1761440400000
            THEN 3600000
            WHEN time_ms >= 1743296400000
            THEN 7200000
            ELSE 3600000
          END
        ) AS BIGINT) / CAST(86400000 AS BIGINT)
      ) AS day_number,
      CASE WHEN (
        event = 'Product Viewed' AND (
          price > 5
        )
      ) THEN 1 END AS is_1,
      CASE WHEN (
        event = 'Product Added'
      ) THEN 1 END AS is_2,
      CASE WHEN (
        event = 'Product Purchased'
      ) THEN 1 END AS is_3,
      CASE WHEN (
        event = 'Cart Viewed'
      ) THEN 1 END AS ends_1
    FROM activity
    WHERE
      NOT uid IS NULL
      AND time_ms >= 1774134000000 - 2000
      AND time_ms < 1775858400000 + 604800000
  ) AS flagged
  WHERE
    (
      is_1 = 1 OR is_2 = 1 OR is_3 = 1 OR ends_1 = 1
    ) AND NOT held_1 IS NULL
), funnel_ordered AS (
  SELECT
    *,
    (
      day_number - (
        day_number + 3
      ) % 7
    ) AS period,
    CASE
      WHEN (
        is_1 = 1
      ) AND time_ms >= 1774134000000 AND time_ms < 1775858400000
      THEN 1
    END AS is_entry,
    ROW_NUMBER() OVER (PARTITION BY uid ORDER BY time_ms, message_id, line_index NULLS FIRST, row_id) AS place
  FROM funnel_rows
), funnel_points AS (
  SELECT
    *,
    CASE WHEN is_entry = 1 THEN entries END AS entry_number,
    CASE WHEN is_1 = 1 THEN rows_1 END AS number_1,
    CASE WHEN is_2 = 1 THEN rows_2 END AS number_2,
    CASE WHEN is_3 = 1 THEN rows_3 END AS number_3,
    CASE WHEN ends_1 = 1 THEN endings_1 END AS ending_1
  FROM (
    SELECT
      *,
      COUNT(is_entry) OVER (
        PARTITION BY uid, held_1
        ORDER BY place
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS entries,
      COUNT(is_1) OVER (
        PARTITION BY uid, held_1
        ORDER BY place
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS rows_1,
      COUNT(is_1) OVER (
        PARTITION BY uid, held_1
        ORDER BY time_ms
        RANGE BETWEEN UNBOUNDED PRECEDING AND 2001 PRECEDING
      ) AS before_1,
      COUNT(is_2) OVER (
        PARTITION BY uid, held_1
        ORDER BY place
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS rows_2,
      COUNT(is_2) OVER (
        PARTITION BY uid, held_1
        ORDER BY time_ms
        RANGE BETWEEN UNBOUNDED PRECEDING AND 2001 PRECEDING
      ) AS before_2,
      COUNT(is_3) OVER (
        PARTITION BY uid, held_1
        ORDER BY place
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS rows_3,
      COUNT(is_3) OVER (
        PARTITION BY uid, held_1
        ORDER BY time_ms
        RANGE BETWEEN UNBOUNDED PRECEDING AND 2001 PRECEDING
      ) AS before_3,
      COUNT(ends_1) OVER (
        PARTITION BY uid, held_1
        ORDER BY place
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS endings_1,
      COUNT(ends_1) OVER (
        PARTITION BY uid, held_1
        ORDER BY time_ms
        RANGE BETWEEN UNBOUNDED PRECEDING AND 2000 FOLLOWING
      ) AS graced_1
    FROM funnel_ordered
  ) AS counted
), funnel_starts AS (
  SELECT
    *
  FROM (
    SELECT
      *,
      ROW_NUMBER() OVER (PARTITION BY uid, period ORDER BY place) AS choice
    FROM (
      SELECT
        *,
        entry_number AS next_entry
      FROM funnel_points
      WHERE
        is_entry = 1
    ) AS every_one
  ) AS numbered
  WHERE
    choice = 1
), funnel_followed AS (
  SELECT
    uid AS uid,
    held_1 AS held_1,
    period AS period,
    entry_place AS entry_place,
    entry_ms AS entry_ms,
    reached AS reached,
    last_ms AS last_ms,
    CASE WHEN reached = 3 THEN GREATEST(COALESCE(ms_3 - entry_ms, 0), 0) END AS convert_ms
  FROM (
    SELECT
      *,
      CASE WHEN NOT place_1 IS NULL THEN 1 ELSE 0 END + CASE WHEN NOT place_2 IS NULL THEN 1 ELSE 0 END + CASE WHEN NOT place_3 IS NULL THEN 1 ELSE 0 END AS reached,
      GREATEST(
        COALESCE(
          CASE WHEN NOT place_1 IS NULL THEN ms_1 END,
          CASE WHEN NOT place_2 IS NULL THEN ms_2 END,
          CASE WHEN NOT place_3 IS NULL THEN ms_3 END
        ),
        COALESCE(
          CASE WHEN NOT place_2 IS NULL THEN ms_2 END,
          CASE WHEN NOT place_1 IS NULL THEN ms_1 END,
          CASE WHEN NOT place_3 IS NULL THEN ms_3 END
        ),
        COALESCE(
          CASE WHEN NOT place_3 IS NULL THEN ms_3 END,
          CASE WHEN NOT place_1 IS NULL THEN ms_1 END,
          CASE WHEN NOT place_2 IS NULL THEN ms_2 END
        )
      ) AS last_ms,
      GREATEST(
        COALESCE(place_1, place_2, place_3),
        COALESCE(place_2, place_1, place_3),
        COALESCE(place_3, place_1, place_2)
      ) AS used_place
    FROM (
      SELECT
        *,
        taken_1 AS place_1,
        CASE WHEN ended_place IS NULL OR taken_2 < ended_place THEN taken_2 END AS place_2,
        CASE WHEN ended_place IS NULL OR taken_3 < ended_place THEN taken_3 END AS place_3
      FROM (
        SELECT
          entry.uid AS uid,
          entry.held_1 AS held_1,
          entry.period AS period,
          entry.place AS entry_place,
          entry.time_ms AS entry_ms,
          entry.place AS taken_1,
          step_2.place AS taken_2,
          step_3.place AS taken_3,
          entry.time_ms AS ms_1,
          step_2.time_ms AS ms_2,
          step_3.time_ms AS ms_3,
          ending_2.place AS ended_place,
          ending_2.entries AS ended_entries
        FROM funnel_starts AS started
        INNER JOIN funnel_points AS entry
          ON entry.uid = started.uid
          AND entry.held_1 = started.held_1
          AND entry.entry_number = started.next_entry
        LEFT JOIN funnel_points AS step_2
          ON step_2.uid = entry.uid
          AND step_2.held_1 = entry.held_1
          AND step_2.number_2 = GREATEST(COALESCE(entry.before_2, 0), 0) + 1
          AND step_2.time_ms <= entry.time_ms + 604800000
        LEFT JOIN funnel_points AS step_3
          ON step_3.uid = entry.uid
          AND step_3.held_1 = entry.held_1
          AND step_3.number_3 = GREATEST(
            COALESCE(entry.before_3, step_2.before_3, 0),
            COALESCE(step_2.before_3, entry.before_3, 0),
            0
          ) + 1
          AND step_3.time_ms <= entry.time_ms + 604800000
          AND NOT step_2.place IS NULL
        LEFT JOIN funnel_points AS ending_2
          ON ending_2.uid = entry.uid
          AND ending_2.held_1 = entry.held_1
          AND ending_2.ending_1 = GREATEST(COALESCE(entry.graced_1, 0), 0) + 1
          AND ending_2.time_ms <= entry.time_ms + 604800000
          AND (
            step_2.place IS NULL OR ending_2.time_ms < step_2.time_ms - 2000
          )
      ) AS taken
    ) AS kept
  ) AS measured
), funnel_chosen AS (
  SELECT
    *
  FROM funnel_followed
), funnel_attempts AS (
  SELECT
    uid,
    CAST(NULL AS VARCHAR) AS segment,
    period AS period,
    entry_ms,
    reached,
    last_ms,
    convert_ms
  FROM funnel_chosen
  WHERE
    TRUE
), funnel_counts AS (
  /* How many attempts came how far and no further, and how long those took that came to the end, in ms. */
  SELECT
    period,
    segment,
    reached,
    COUNT(*) AS attempts,
    AVG(CAST(convert_ms AS DOUBLE)) AS ttc_mean,
    APPROX_PERCENTILE(CAST(convert_ms AS DOUBLE), 0.5) AS ttc_median,
    APPROX_PERCENTILE(CAST(convert_ms AS DOUBLE), 0.25) AS ttc_p25,
    APPROX_PERCENTILE(CAST(convert_ms AS DOUBLE), 0.75) AS ttc_p75,
    APPROX_PERCENTILE(CAST(convert_ms AS DOUBLE), 0.9) AS ttc_p90
  FROM funnel_attempts
  GROUP BY
    period,
    segment,
    reached
)
SELECT
  *
FROM funnel_counts;
