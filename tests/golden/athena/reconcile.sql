-- connector report reconcile, as SQL for Athena: rendered, not run.
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
), numbered_sales AS (
  /* Order Completed rows, those of each order of a source numbered from the earliest on. */
  SELECT
    source,
    order_id,
    row_id,
    uid,
    time_ms,
    currency,
    order_revenue,
    order_revenue_from,
    discount,
    ROW_NUMBER() OVER (PARTITION BY source, COALESCE(order_id, row_id) ORDER BY time_ms, row_id) AS sale_number
  FROM resolved
  WHERE
    event = 'Order Completed' AND line_index IS NULL
), activity AS (
  /* Rows of the days asked for, a day more on either side, whose time is known. */
  SELECT
    *
  FROM resolved
  WHERE
    day BETWEEN CAST('2026-03-20' AS DATE) AND CAST('2026-04-11' AS DATE)
    AND NOT time_ms IS NULL
), reconciled AS (
  /* Orders against their lines per local day and currency. All rows but copies: a repeated order stands beside its lines. */
  SELECT
    day_number,
    currency,
    SUM(orders) AS orders,
    SUM(product_rows) AS product_rows,
    SUM(line_revenue) AS item_value,
    SUM(order_revenue) AS revenue,
    SUM(discount) AS discount,
    SUM(is_repeat) AS repeated_orders
  FROM (
    SELECT
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
      currency,
      1 AS orders,
      0 AS product_rows,
      CAST(NULL AS DECIMAL(18, 6)) AS line_revenue,
      order_revenue,
      discount,
      CASE WHEN sale_number = 1 THEN 0 ELSE 1 END AS is_repeat
    FROM numbered_sales
    WHERE
      time_ms >= 1774134000000 AND time_ms < 1775858400000
    UNION ALL
    SELECT
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
      currency,
      0 AS orders,
      1 AS product_rows,
      line_revenue,
      order_revenue,
      CAST(NULL AS DECIMAL(18, 6)) AS discount,
      0 AS is_repeat
    FROM activity
    WHERE
      event = 'Product Purchased'
      AND NOT line_index IS NULL
      AND time_ms >= 1774134000000
      AND time_ms < 1775858400000
  ) AS dated
  GROUP BY
    day_number,
    currency
)
SELECT
  *
FROM reconciled
ORDER BY
  day_number,
  currency;
