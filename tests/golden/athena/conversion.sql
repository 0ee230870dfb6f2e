-- connector report conversion, as SQL for Athena: rendered, not run.
-- Tables it reads: events_raw, profiles_raw, aliases_raw.
-- Each has every row of the files below tables/<name>, copies included: the columns that docs/tables.md
-- declares, and day (date) from the path. What is computed afterwards, such as p-values, is not in it.

-- 1 of 3
WITH extent AS (
  /* The first and the last time that rows have. Where it is known which days are the first and the last, of these alone. */
  SELECT
    CAST(TO_UNIXTIME(MIN(timestamp)) * 1000 AS BIGINT) AS first_ms,
    CAST(TO_UNIXTIME(MAX(timestamp)) * 1000 AS BIGINT) AS last_ms
  FROM events_raw
)
SELECT
  *
FROM extent;

-- 2 of 3
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
    day BETWEEN CAST('2009-12-30' AS DATE) AND CAST('2026-11-04' AS DATE)
    AND NOT time_ms IS NULL
), conversion_entries AS (
  /* Each person's first view of each category in each period: every period has a funnel of its own. */
  SELECT
    uid,
    category,
    period,
    MIN(time_ms) AS entry_ms
  FROM (
    SELECT
      uid,
      category,
      time_ms,
      (
        day_number - (
          day_number + 3
        ) % 7
      ) AS period
    FROM (
      SELECT
        uid,
        category,
        time_ms,
        (
          CAST((
            time_ms + CASE
              WHEN time_ms >= 1824944400000
              THEN 3600000
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
              WHEN time_ms >= 1729990800000
              THEN 3600000
              WHEN time_ms >= 1711846800000
              THEN 7200000
              WHEN time_ms >= 1698541200000
              THEN 3600000
              WHEN time_ms >= 1679792400000
              THEN 7200000
              WHEN time_ms >= 1667091600000
              THEN 3600000
              WHEN time_ms >= 1648342800000
              THEN 7200000
              WHEN time_ms >= 1635642000000
              THEN 3600000
              WHEN time_ms >= 1616893200000
              THEN 7200000
              WHEN time_ms >= 1603587600000
              THEN 3600000
              WHEN time_ms >= 1585443600000
              THEN 7200000
              WHEN time_ms >= 1572138000000
              THEN 3600000
              WHEN time_ms >= 1553994000000
              THEN 7200000
              WHEN time_ms >= 1540688400000
              THEN 3600000
              WHEN time_ms >= 1521939600000
              THEN 7200000
              WHEN time_ms >= 1509238800000
              THEN 3600000
              WHEN time_ms >= 1490490000000
              THEN 7200000
              WHEN time_ms >= 1477789200000
              THEN 3600000
              WHEN time_ms >= 1459040400000
              THEN 7200000
              WHEN time_ms >= 1445734800000
              THEN 3600000
              WHEN time_ms >= 1427590800000
              THEN 7200000
              WHEN time_ms >= 1414285200000
              THEN 3600000
              WHEN time_ms >= 1396141200000
              THEN 7200000
              WHEN time_ms >= 1382835600000
              THEN 3600000
              WHEN time_ms >= 1364691600000
              THEN 7200000
              WHEN time_ms >= 1351386000000
              THEN 3600000
              WHEN time_ms >= 1332637200000
              THEN 7200000
              WHEN time_ms >= 1319936400000
              THEN 3600000
              WHEN time_ms >= 1301187600000
              THEN 7200000
              WHEN time_ms >= 1288486800000
              THEN 3600000
              WHEN time_ms >= 1269738000000
              THEN 7200000
              WHEN time_ms >= 1256432400000
              THEN 3600000
              WHEN time_ms >= 1238288400000
              THEN 7200000
              ELSE 3600000
            END
          ) AS BIGINT) / CAST(86400000 AS BIGINT)
        ) AS day_number
      FROM activity
      WHERE
        event = 'Product Viewed'
        AND NOT uid IS NULL
        AND NOT category IS NULL
        AND time_ms >= 1262300400000
        AND time_ms < 1793574000000
        AND category IN ('Toys')
    ) AS dated
  ) AS viewed
  GROUP BY
    uid,
    category,
    period
), purchase_lines AS (
  /* What was bought: one row per product of an order, or the event that takes its place. */
  SELECT
    uid,
    time_ms,
    category,
    product_id,
    name,
    price,
    quantity,
    line_revenue,
    currency,
    order_id,
    row_id
  FROM activity
  WHERE
    event = 'Product Purchased'
    AND (
      'Product Purchased' <> 'Product Purchased' OR NOT line_index IS NULL
    )
), conversion_attempts AS (
  /* Every entry, and every one again that a purchase in its category followed, from 2 seconds before to the window's end. */
  SELECT
    uid,
    category,
    period,
    1 AS viewers,
    0 AS converted
  FROM conversion_entries
  UNION ALL
  SELECT
    uid,
    category,
    period,
    0 AS viewers,
    1 AS converted
  FROM (
    SELECT DISTINCT
      entries.uid,
      entries.category,
      entries.period
    FROM conversion_entries AS entries
    INNER JOIN purchase_lines AS lines
      ON lines.uid = entries.uid
      AND lines.category = entries.category
      AND lines.time_ms >= entries.entry_ms - 2000
      AND lines.time_ms <= entries.entry_ms + 172800000
  ) AS followed
), series AS (
  /* The rows of everybody, as a series of its own. */
  SELECT
    CAST('all' AS VARCHAR) AS cohort,
    rows_.*
  FROM conversion_attempts AS rows_
), conversion AS (
  /* Viewers and how many of them bought in time, per series, period and category. */
  SELECT
    cohort,
    period,
    category,
    SUM(viewers) AS viewers,
    SUM(converted) AS converted
  FROM series
  GROUP BY
    cohort,
    period,
    category
)
SELECT
  *
FROM conversion;

-- 3 of 3
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
    day BETWEEN CAST('2009-12-30' AS DATE) AND CAST('2026-11-04' AS DATE)
    AND NOT time_ms IS NULL
), conversion_entries AS (
  /* Each person's first view of each category in each period: every period has a funnel of its own. */
  SELECT
    uid,
    category,
    period,
    MIN(time_ms) AS entry_ms
  FROM (
    SELECT
      uid,
      category,
      time_ms,
      (
        day_number - (
          day_number + 3
        ) % 7
      ) AS period
    FROM (
      SELECT
        uid,
        category,
        time_ms,
        (
          CAST((
            time_ms + CASE
              WHEN time_ms >= 1824944400000
              THEN 3600000
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
              WHEN time_ms >= 1729990800000
              THEN 3600000
              WHEN time_ms >= 1711846800000
              THEN 7200000
              WHEN time_ms >= 1698541200000
              THEN 3600000
              WHEN time_ms >= 1679792400000
              THEN 7200000
              WHEN time_ms >= 1667091600000
              THEN 3600000
              WHEN time_ms >= 1648342800000
              THEN 7200000
              WHEN time_ms >= 1635642000000
              THEN 3600000
              WHEN time_ms >= 1616893200000
              THEN 7200000
              WHEN time_ms >= 1603587600000
              THEN 3600000
              WHEN time_ms >= 1585443600000
              THEN 7200000
              WHEN time_ms >= 1572138000000
              THEN 3600000
              WHEN time_ms >= 1553994000000
              THEN 7200000
              WHEN time_ms >= 1540688400000
              THEN 3600000
              WHEN time_ms >= 1521939600000
              THEN 7200000
              WHEN time_ms >= 1509238800000
              THEN 3600000
              WHEN time_ms >= 1490490000000
              THEN 7200000
              WHEN time_ms >= 1477789200000
              THEN 3600000
              WHEN time_ms >= 1459040400000
              THEN 7200000
              WHEN time_ms >= 1445734800000
              THEN 3600000
              WHEN time_ms >= 1427590800000
              THEN 7200000
              WHEN time_ms >= 1414285200000
              THEN 3600000
              WHEN time_ms >= 1396141200000
              THEN 7200000
              WHEN time_ms >= 1382835600000
              THEN 3600000
              WHEN time_ms >= 1364691600000
              THEN 7200000
              WHEN time_ms >= 1351386000000
              THEN 3600000
              WHEN time_ms >= 1332637200000
              THEN 7200000
              WHEN time_ms >= 1319936400000
              THEN 3600000
              WHEN time_ms >= 1301187600000
              THEN 7200000
              WHEN time_ms >= 1288486800000
              THEN 3600000
              WHEN time_ms >= 1269738000000
              THEN 7200000
              WHEN time_ms >= 1256432400000
              THEN 3600000
              WHEN time_ms >= 1238288400000
              THEN 7200000
              ELSE 3600000
            END
          ) AS BIGINT) / CAST(86400000 AS BIGINT)
        ) AS day_number
      FROM activity
      WHERE
        event = 'Product Viewed'
        AND NOT uid IS NULL
        AND NOT category IS NULL
        AND time_ms >= 1262300400000
        AND time_ms < 1793574000000
        AND category IN ('Toys')
    ) AS dated
  ) AS viewed
  GROUP BY
    uid,
    category,
    period
), purchase_lines AS (
  /* What was bought: one row per product of an order, or the event that takes its place. */
  SELECT
    uid,
    time_ms,
    category,
    product_id,
    name,
    price,
    quantity,
    line_revenue,
    currency,
    order_id,
    row_id
  FROM activity
  WHERE
    event = 'Product Purchased'
    AND (
      'Product Purchased' <> 'Product Purchased' OR NOT line_index IS NULL
    )
), conversion_attempts AS (
  /* Every entry, and every one again that a purchase in its category followed, from 2 seconds before to the window's end. */
  SELECT
    uid,
    category,
    period,
    1 AS viewers,
    0 AS converted
  FROM conversion_entries
  UNION ALL
  SELECT
    uid,
    category,
    period,
    0 AS viewers,
    1 AS converted
  FROM (
    SELECT DISTINCT
      entries.uid,
      entries.category,
      entries.period
    FROM conversion_entries AS entries
    INNER JOIN purchase_lines AS lines
      ON lines.uid = entries.uid
      AND lines.category = entries.category
      AND lines.time_ms >= entries.entry_ms - 2000
      AND lines.time_ms <= entries.entry_ms + 172800000
  ) AS followed
), members AS (
  SELECT
    CAST(c0 AS VARCHAR) AS cohort,
    CAST(c1 AS VARCHAR) AS uid
  FROM (VALUES
    ('promo', '$device:device-3'),
    ('promo', 'ann'),
    ('promo', 'ben'),
    ('promo', 'nobody')) AS literal_rows(c0, c1)
), series AS (
  /* The rows of members, a series per cohort. */
  SELECT
    members.cohort,
    rows_.*
  FROM conversion_attempts AS rows_
  INNER JOIN members
    ON members.uid = rows_.uid
), conversion AS (
  /* Viewers and how many of them bought in time, per series, period and category. */
  SELECT
    cohort,
    period,
    category,
    SUM(viewers) AS viewers,
    SUM(converted) AS converted
  FROM series
  GROUP BY
    cohort,
    period,
    category
)
SELECT
  *
FROM conversion;
