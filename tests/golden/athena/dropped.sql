-- connector report dropped, as SQL for Athena: rendered, not run.
-- Tables it reads: events_raw, profiles_raw, aliases_raw.
-- Each has every row of the files below tables/<name>, copies included: the columns that docs/tables.md
-- declares, and day (date) from the path. What is computed afterwards, such as p-values, is not in it.

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
    day BETWEEN CAST('2026-03-20' AS DATE) AND CAST('2026-04-13' AS DATE)
    AND NOT time_ms IS NULL
), dropped_views AS (
  /* Each person's views of one category within the range, and the product of the last. */
  SELECT
    uid,
    COUNT(*) AS views,
    MIN(time_ms) AS first_view_ms,
    MAX(time_ms) AS last_view_ms,
    MAX(CASE WHEN from_last = 1 THEN COALESCE(name, product_id) END) AS last_product
  FROM (
    SELECT
      uid,
      time_ms,
      name,
      product_id,
      ROW_NUMBER() OVER (
        PARTITION BY uid
        ORDER BY time_ms DESC, message_id DESC NULLS FIRST, line_index DESC, row_id DESC
      ) AS from_last
    FROM activity
    WHERE
      event = 'Product Viewed'
      AND category = 'Toys'
      AND NOT uid IS NULL
      AND time_ms >= 1774134000000
      AND time_ms < 1775858400000
  ) AS numbered
  GROUP BY
    uid
), activity_of_all_days AS (
  /* Rows of the days asked for, a day more on either side, whose time is known. */
  SELECT
    *
  FROM resolved
  WHERE
    day BETWEEN CAST('1970-01-01' AS DATE) AND CAST('9999-12-31' AS DATE)
    AND NOT time_ms IS NULL
), every_purchase_line AS (
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
  FROM activity_of_all_days AS activity
  WHERE
    event = 'Product Purchased'
    AND (
      'Product Purchased' <> 'Product Purchased' OR NOT line_index IS NULL
    )
), dropped_purchases AS (
  /* Who of those who viewed one category bought in it: first within the window of the first view, and first outside it. */
  SELECT
    views.uid,
    MIN(
      CASE
        WHEN lines.time_ms >= views.first_view_ms - 2000
        AND lines.time_ms <= views.first_view_ms + 172800000
        THEN lines.time_ms
      END
    ) AS converted_ms,
    MIN(
      CASE
        WHEN lines.time_ms < views.first_view_ms - 2000
        OR lines.time_ms > views.first_view_ms + 172800000
        THEN lines.time_ms
      END
    ) AS bought_outside_ms
  FROM dropped_views AS views
  INNER JOIN every_purchase_line AS lines
    ON lines.uid = views.uid AND lines.category = 'Toys'
  GROUP BY
    views.uid
), dropped_people AS (
  /* People who viewed one category and did not buy in it within the window, or those who did. */
  SELECT
    views.uid,
    views.first_view_ms,
    views.last_view_ms,
    views.views,
    views.last_product,
    bought.bought_outside_ms
  FROM dropped_views AS views
  LEFT JOIN dropped_purchases AS bought
    ON bought.uid = views.uid
  WHERE
    CASE WHEN bought.converted_ms IS NULL THEN 'dropped' ELSE 'converted' END = 'dropped'
)
SELECT
  *
FROM dropped_people
ORDER BY
  uid;
