-- connector report insights, as SQL for Athena: rendered, not run.
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
    day BETWEEN CAST('2009-12-30' AS DATE) AND CAST('2026-11-02' AS DATE)
    AND NOT time_ms IS NULL
), insight_rows AS (
  /* Rows of one metric, each with its period and segment, and the currency where its property is money. */
  SELECT
    uid,
    row_id,
    time_ms,
    message_id,
    line_index,
    (
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
      ) - (
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
        ) + 3
      ) % 7
    ) AS period,
    CAST(NULL AS VARCHAR) AS segment,
    CAST(1 AS BIGINT) AS item_number,
    CAST(NULL AS BIGINT) AS property,
    CASE
      WHEN FALSE AND NOT CAST(NULL AS BIGINT) IS NULL
      THEN COALESCE(currency, '')
    END AS currency
  FROM activity
  WHERE
    (
      event = 'Product Viewed'
    )
    AND time_ms >= 1262300400000
    AND time_ms < 1793574000000
    AND (
      time_ms < 1262300400000 OR time_ms >= 1262300400000
    )
), insight_points AS (
  /* One metric per period and segment: rows, people, and the measurement over rows. */
  SELECT
    period,
    segment,
    COUNT(*) AS totals,
    COUNT(DISTINCT uid) AS uniques,
    COUNT(DISTINCT uid) AS value,
    COUNT(property) AS known,
    MIN(currency) AS least_currency,
    MAX(currency) AS greatest_currency
  FROM insight_rows AS insight_segments
  GROUP BY
    period,
    segment
)
SELECT
  *
FROM insight_points;

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
    day BETWEEN CAST('2009-12-30' AS DATE) AND CAST('2026-11-02' AS DATE)
    AND NOT time_ms IS NULL
), insight_rows AS (
  /* Rows of one metric, each with its period and segment, and the currency where its property is money. */
  SELECT
    uid,
    row_id,
    time_ms,
    message_id,
    line_index,
    (
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
      ) - (
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
        ) + 3
      ) % 7
    ) AS period,
    (
      JSON_EXTRACT_SCALAR(properties, '$.plan')
    ) AS segment,
    CAST(1 AS BIGINT) AS item_number,
    CAST(NULL AS BIGINT) AS property,
    CASE
      WHEN FALSE AND NOT CAST(NULL AS BIGINT) IS NULL
      THEN COALESCE(currency, '')
    END AS currency
  FROM activity
  WHERE
    (
      event = 'Product Viewed'
    )
    AND time_ms >= 1262300400000
    AND time_ms < 1793574000000
    AND (
      time_ms < 1262300400000 OR time_ms >= 1262300400000
    )
), insight_points AS (
  /* One metric per period and segment: rows, people, and the measurement over rows. */
  SELECT
    period,
    segment,
    COUNT(*) AS totals,
    COUNT(DISTINCT uid) AS uniques,
    COUNT(DISTINCT uid) AS value,
    COUNT(property) AS known,
    MIN(currency) AS least_currency,
    MAX(currency) AS greatest_currency
  FROM insight_rows AS insight_segments
  GROUP BY
    period,
    segment
)
SELECT
  *
FROM insight_points;
