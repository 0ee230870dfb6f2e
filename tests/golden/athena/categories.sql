-- connector report categories, as SQL for Athena: rendered, not run.
-- Tables it reads: events_raw, profiles_raw, aliases_raw.
-- Each has every row of the files below tables/<name>, copies included: the columns that docs/tables.md
-- declares, and day (date) from the path. What is computed afterwards, such as p-values, is not in it.

-- 1 of 2
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
FROM category_conversion
ORDER BY
  category;

-- 2 of 2
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
FROM category_prices
ORDER BY
  category,
  currency;
