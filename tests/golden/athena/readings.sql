-- connector report readings, as SQL for Athena: rendered, not run.
-- Tables it reads: events_raw, profiles_raw, aliases_raw.
-- Each has every row of the files below tables/<name>, copies included: the columns that docs/tables.md
-- declares, and day (date) from the path. What is computed afterwards, such as p-values, is not in it.

-- 1 of 9
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
    day BETWEEN CAST('2026-03-20' AS DATE) AND CAST('2026-04-13' AS DATE)
    AND NOT time_ms IS NULL
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
), category_people AS (
  /* People and rows per category within the range, in no order: who viewed, who bought. For comparison. */
  SELECT
    category,
    COUNT(DISTINCT CASE WHEN kind = 'view' THEN uid END) AS viewers,
    COUNT(DISTINCT CASE WHEN kind = 'purchase' THEN uid END) AS buyers,
    COUNT(CASE WHEN kind = 'view' THEN 1 END) AS view_rows,
    COUNT(CASE WHEN kind = 'purchase' THEN 1 END) AS purchase_rows
  FROM (
    SELECT
      category,
      uid,
      'view' AS kind
    FROM activity
    WHERE
      event = 'Product Viewed' AND time_ms >= 1774134000000 AND time_ms < 1775858400000
    UNION ALL
    SELECT
      category,
      uid,
      'purchase' AS kind
    FROM purchase_lines
    WHERE
      time_ms >= 1774134000000 AND time_ms < 1775858400000
  ) AS both_kinds
  GROUP BY
    category
)
SELECT
  *
FROM category_people;

-- 2 of 9
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
    day BETWEEN CAST('2026-03-20' AS DATE) AND CAST('2026-04-13' AS DATE)
    AND NOT time_ms IS NULL
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
), category_every_entry AS (
  /* People with any view of a category that a purchase in it followed within the window; no grace. For comparison. */
  SELECT
    category,
    COUNT(DISTINCT uid) AS converted
  FROM (
    SELECT
      uid,
      category,
      purchased_ms,
      MAX(viewed_ms) OVER (
        PARTITION BY uid, category
        ORDER BY time_ms, is_purchase
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS last_view_ms
    FROM (
      SELECT
        uid,
        category,
        time_ms,
        0 AS is_purchase,
        time_ms AS viewed_ms,
        CAST(NULL AS BIGINT) AS purchased_ms
      FROM activity
      WHERE
        event = 'Product Viewed'
        AND NOT uid IS NULL
        AND NOT category IS NULL
        AND time_ms >= 1774134000000
        AND time_ms < 1775858400000
      UNION ALL
      SELECT
        uid,
        category,
        time_ms,
        1 AS is_purchase,
        CAST(NULL AS BIGINT) AS viewed_ms,
        time_ms AS purchased_ms
      FROM purchase_lines
      WHERE
        NOT uid IS NULL AND NOT category IS NULL
    ) AS both_kinds
  ) AS followed
  WHERE
    purchased_ms - last_view_ms <= 172800000
  GROUP BY
    category
)
SELECT
  *
FROM category_every_entry;

-- 3 of 9
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
    day BETWEEN CAST('2026-03-20' AS DATE) AND CAST('2026-04-13' AS DATE)
    AND NOT time_ms IS NULL
), category_entries AS (
  /* Each person's first view of each category within the range: where a held funnel begins. */
  SELECT
    uid,
    category,
    MIN(time_ms) AS entry_ms
  FROM activity
  WHERE
    event = 'Product Viewed'
    AND NOT uid IS NULL
    AND NOT category IS NULL
    AND time_ms >= 1774134000000
    AND time_ms < 1775858400000
  GROUP BY
    uid,
    category
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
), category_converted AS (
  /* Who bought in a category they viewed, and when first: from 2 seconds before the view to the window's end. */
  SELECT
    entries.uid,
    entries.category,
    MIN(lines.time_ms) AS converted_ms
  FROM category_entries AS entries
  INNER JOIN purchase_lines AS lines
    ON lines.uid = entries.uid
    AND lines.category = entries.category
    AND lines.time_ms >= entries.entry_ms - 2000
    AND lines.time_ms <= entries.entry_ms + 172800000
  GROUP BY
    entries.uid,
    entries.category
), category_conversion AS (
  /* People who viewed each category and how many of them bought in it in time. */
  SELECT
    category,
    SUM(viewers) AS viewers,
    SUM(converted) AS converted
  FROM (
    SELECT
      category,
      COUNT(*) AS viewers,
      CAST(0 AS BIGINT) AS converted
    FROM category_entries
    GROUP BY
      category
    UNION ALL
    SELECT
      category,
      CAST(0 AS BIGINT) AS viewers,
      COUNT(*) AS converted
    FROM category_converted
    GROUP BY
      category
  ) AS counted
  GROUP BY
    category
)
SELECT
  *
FROM category_conversion;

-- 4 of 9
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
    day BETWEEN CAST('2026-03-20' AS DATE) AND CAST('2026-05-11' AS DATE)
    AND NOT time_ms IS NULL
), category_entries AS (
  /* Each person's first view of each category within the range: where a held funnel begins. */
  SELECT
    uid,
    category,
    MIN(time_ms) AS entry_ms
  FROM activity
  WHERE
    event = 'Product Viewed'
    AND NOT uid IS NULL
    AND NOT category IS NULL
    AND time_ms >= 1774134000000
    AND time_ms < 1775858400000
  GROUP BY
    uid,
    category
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
), category_converted AS (
  /* Who bought in a category they viewed, and when first: from 2 seconds before the view to the window's end. */
  SELECT
    entries.uid,
    entries.category,
    MIN(lines.time_ms) AS converted_ms
  FROM category_entries AS entries
  INNER JOIN purchase_lines AS lines
    ON lines.uid = entries.uid
    AND lines.category = entries.category
    AND lines.time_ms >= entries.entry_ms - 2000
    AND lines.time_ms <= entries.entry_ms + 2592000000
  GROUP BY
    entries.uid,
    entries.category
), category_conversion AS (
  /* People who viewed each category and how many of them bought in it in time. */
  SELECT
    category,
    SUM(viewers) AS viewers,
    SUM(converted) AS converted
  FROM (
    SELECT
      category,
      COUNT(*) AS viewers,
      CAST(0 AS BIGINT) AS converted
    FROM category_entries
    GROUP BY
      category
    UNION ALL
    SELECT
      category,
      CAST(0 AS BIGINT) AS viewers,
      COUNT(*) AS converted
    FROM category_converted
    GROUP BY
      category
  ) AS counted
  GROUP BY
    category
)
SELECT
  *
FROM category_conversion;

-- 5 of 9
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
    day BETWEEN CAST('2026-03-20' AS DATE) AND CAST('2026-04-12' AS DATE)
    AND NOT time_ms IS NULL
), category_entries AS (
  /* Each person's first view of each category within the range: where a held funnel begins. */
  SELECT
    uid,
    category,
    MIN(time_ms) AS entry_ms
  FROM activity
  WHERE
    event = 'Product Viewed'
    AND NOT uid IS NULL
    AND NOT category IS NULL
    AND time_ms >= 1774134000000
    AND time_ms < 1775858400000
  GROUP BY
    uid,
    category
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
), category_converted AS (
  /* Who bought in a category they viewed, and when first: from 2 seconds before the view to the window's end. */
  SELECT
    entries.uid,
    entries.category,
    MIN(lines.time_ms) AS converted_ms
  FROM category_entries AS entries
  INNER JOIN purchase_lines AS lines
    ON lines.uid = entries.uid
    AND lines.category = entries.category
    AND lines.time_ms >= entries.entry_ms - 2000
    AND lines.time_ms <= entries.entry_ms + 86400000
  GROUP BY
    entries.uid,
    entries.category
), category_conversion AS (
  /* People who viewed each category and how many of them bought in it in time. */
  SELECT
    category,
    SUM(viewers) AS viewers,
    SUM(converted) AS converted
  FROM (
    SELECT
      category,
      COUNT(*) AS viewers,
      CAST(0 AS BIGINT) AS converted
    FROM category_entries
    GROUP BY
      category
    UNION ALL
    SELECT
      category,
      CAST(0 AS BIGINT) AS viewers,
      COUNT(*) AS converted
    FROM category_converted
    GROUP BY
      category
  ) AS counted
  GROUP BY
    category
)
SELECT
  *
FROM category_conversion;

-- 6 of 9
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
    day BETWEEN CAST('2026-03-20' AS DATE) AND CAST('2026-04-13' AS DATE)
    AND NOT time_ms IS NULL
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
), category_first_touch AS (
  /* The category not held: the first view of each person, then any purchase within the window. For comparison. */
  SELECT
    entries.category,
    COUNT(*) AS viewers,
    COUNT(entries.converted_ms) AS converted
  FROM (
    SELECT
      first_views.uid,
      first_views.category,
      MIN(lines.time_ms) AS converted_ms
    FROM (
      SELECT
        uid,
        category,
        time_ms
      FROM (
        SELECT
          uid,
          category,
          time_ms,
          ROW_NUMBER() OVER (PARTITION BY uid ORDER BY time_ms, message_id, line_index NULLS FIRST, row_id) AS view_number
        FROM activity
        WHERE
          event = 'Product Viewed'
          AND NOT uid IS NULL
          AND time_ms >= 1774134000000
          AND time_ms < 1775858400000
      ) AS numbered
      WHERE
        view_number = 1
    ) AS first_views
    LEFT JOIN purchase_lines AS lines
      ON lines.uid = first_views.uid
      AND lines.time_ms >= first_views.time_ms - 2000
      AND lines.time_ms <= first_views.time_ms + 172800000
    GROUP BY
      first_views.uid,
      first_views.category
  ) AS entries
  GROUP BY
    entries.category
)
SELECT
  *
FROM category_first_touch;

-- 7 of 9
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
), resolved AS (
  /* Rows without what is known of devices: a person before and after signing in is two. For comparison only. */
  SELECT
    *,
    CAST(TO_UNIXTIME(timestamp) * 1000 AS BIGINT) AS time_ms,
    COALESCE(
      NULLIF(user_id, ''),
      CONCAT(CAST('$device:' AS VARCHAR), CAST(NULLIF(anonymous_id, '') AS VARCHAR)),
      NULLIF(distinct_id, '')
    ) AS uid
  FROM unique_events
), activity AS (
  /* Rows of the days asked for, a day more on either side, whose time is known. */
  SELECT
    *
  FROM resolved
  WHERE
    day BETWEEN CAST('2026-03-20' AS DATE) AND CAST('2026-04-13' AS DATE)
    AND NOT time_ms IS NULL
), category_entries AS (
  /* Each person's first view of each category within the range: where a held funnel begins. */
  SELECT
    uid,
    category,
    MIN(time_ms) AS entry_ms
  FROM activity
  WHERE
    event = 'Product Viewed'
    AND NOT uid IS NULL
    AND NOT category IS NULL
    AND time_ms >= 1774134000000
    AND time_ms < 1775858400000
  GROUP BY
    uid,
    category
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
), category_converted AS (
  /* Who bought in a category they viewed, and when first: from 2 seconds before the view to the window's end. */
  SELECT
    entries.uid,
    entries.category,
    MIN(lines.time_ms) AS converted_ms
  FROM category_entries AS entries
  INNER JOIN purchase_lines AS lines
    ON lines.uid = entries.uid
    AND lines.category = entries.category
    AND lines.time_ms >= entries.entry_ms - 2000
    AND lines.time_ms <= entries.entry_ms + 172800000
  GROUP BY
    entries.uid,
    entries.category
), category_conversion AS (
  /* People who viewed each category and how many of them bought in it in time. */
  SELECT
    category,
    SUM(viewers) AS viewers,
    SUM(converted) AS converted
  FROM (
    SELECT
      category,
      COUNT(*) AS viewers,
      CAST(0 AS BIGINT) AS converted
    FROM category_entries
    GROUP BY
      category
    UNION ALL
    SELECT
      category,
      CAST(0 AS BIGINT) AS viewers,
      COUNT(*) AS converted
    FROM category_converted
    GROUP BY
      category
  ) AS counted
  GROUP BY
    category
)
SELECT
  *
FROM category_conversion;

-- 8 of 9
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
    day BETWEEN CAST('2026-03-20' AS DATE) AND CAST('2026-04-13' AS DATE)
    AND NOT time_ms IS NULL
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
), category_prices AS (
  /* What was bought per category and currency within the range; the average is over purchase rows. */
  SELECT
    category,
    currency,
    COUNT(*) AS purchases,
    SUM(COALESCE(quantity, CAST(1 AS DECIMAL(19, 3)))) AS units,
    SUM(price) AS price_sum,
    COUNT(price) AS priced,
    SUM(
      CASE WHEN NOT price IS NULL THEN COALESCE(quantity, CAST(1 AS DECIMAL(19, 3))) END
    ) AS priced_units,
    SUM(price * COALESCE(quantity, CAST(1 AS DECIMAL(19, 3)))) AS item_revenue
  FROM purchase_lines
  WHERE
    time_ms >= 1774134000000 AND time_ms < 1775858400000
  GROUP BY
    category,
    currency
)
SELECT
  *
FROM category_prices;

-- 9 of 9
WITH unique_events AS (
  /* Every row, copies of an event too. For comparison only. */
  SELECT
    *
  FROM events_raw
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
    day BETWEEN CAST('2026-03-20' AS DATE) AND CAST('2026-04-13' AS DATE)
    AND NOT time_ms IS NULL
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
), category_prices AS (
  /* What was bought per category and currency within the range; the average is over purchase rows. */
  SELECT
    category,
    currency,
    COUNT(*) AS purchases,
    SUM(COALESCE(quantity, CAST(1 AS DECIMAL(19, 3)))) AS units,
    SUM(price) AS price_sum,
    COUNT(price) AS priced,
    SUM(
      CASE WHEN NOT price IS NULL THEN COALESCE(quantity, CAST(1 AS DECIMAL(19, 3))) END
    ) AS priced_units,
    SUM(price * COALESCE(quantity, CAST(1 AS DECIMAL(19, 3)))) AS item_revenue
  FROM purchase_lines
  WHERE
    time_ms >= 1774134000000 AND time_ms < 1775858400000
  GROUP BY
    category,
    currency
)
SELECT
  *
FROM category_prices;
