-- connector report before-after, as SQL for Athena: rendered, not run.
-- Tables it reads: events_raw, profiles_raw, aliases_raw.
-- Each has every row of the files below tables/<name>, copies included: the columns that docs/tables.md
-- declares, and day (date) from the path. What is computed afterwards, such as p-values, is not in it.

-- 1 of 4
WITH compared_people AS (
  SELECT
    CAST(c0 AS VARCHAR) AS uid
  FROM (VALUES
    ('$device:device-3'),
    ('ann'),
    ('ben'),
    ('nobody')) AS literal_rows(c0)
), unique_events AS (
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
    day BETWEEN CAST('2026-03-22' AS DATE) AND CAST('2026-04-07' AS DATE)
    AND NOT time_ms IS NULL
), active_people AS (
  /* Each person once in every period with any event of theirs. */
  SELECT DISTINCT
    uid,
    CASE WHEN day_number < 20542 THEN 0 ELSE 1 END AS period
  FROM (
    SELECT
      uid,
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
      ) AS day_number
    FROM activity
    WHERE
      NOT uid IS NULL AND time_ms >= 1774306800000 AND time_ms < 1775340000000
  ) AS dated
), compared_active AS (
  /* Who had any event before (period 0) and after (period 1). */
  SELECT
    uid,
    MAX(CASE WHEN period = 0 THEN 1 ELSE 0 END) AS active_before,
    MAX(CASE WHEN period = 1 THEN 1 ELSE 0 END) AS active_after
  FROM active_people
  GROUP BY
    uid
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
      CASE WHEN day_number < 20542 THEN 0 ELSE 1 END AS period
    FROM (
      SELECT
        uid,
        category,
        time_ms,
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
        ) AS day_number
      FROM activity
      WHERE
        event = 'Product Viewed'
        AND NOT uid IS NULL
        AND NOT category IS NULL
        AND time_ms >= 1774306800000
        AND time_ms < 1775340000000
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
), compared_views AS (
  /* Who viewed, and who bought in time in a category that they viewed, before and after. */
  SELECT
    uid,
    MAX(CASE WHEN period = 0 THEN viewers ELSE 0 END) AS viewed_before,
    MAX(CASE WHEN period = 1 THEN viewers ELSE 0 END) AS viewed_after,
    MAX(CASE WHEN period = 0 THEN converted ELSE 0 END) AS converted_before,
    MAX(CASE WHEN period = 1 THEN converted ELSE 0 END) AS converted_after
  FROM conversion_attempts
  GROUP BY
    uid
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
), sales AS (
  /* Sales: the earliest Order Completed of each order of a source; later ones are retries and count nowhere. */
  /* gross is empty where the order states no revenue. */
  SELECT
    source,
    order_id,
    row_id,
    uid,
    time_ms,
    currency,
    order_revenue AS gross,
    order_revenue_from
  FROM numbered_sales
  WHERE
    sale_number = 1
), refund_claims AS (
  /* What was said of giving back an order that is known; a cancellation, and a refund without an amount, takes the rest. */
  SELECT
    sales.source,
    sales.order_id,
    sales.uid,
    sales.currency,
    sales.time_ms AS order_ms,
    COALESCE(sales.gross, CAST(0 AS DECIMAL(18, 6))) AS gross,
    claims.row_id,
    claims.time_ms,
    claims.currency AS stated_currency,
    COALESCE(claims.refund_amount, CAST(0 AS DECIMAL(18, 6))) AS stated,
    CASE
      WHEN claims.event = 'Order Cancelled' OR claims.refund_amount IS NULL
      THEN 1
      ELSE 0
    END AS takes_rest
  FROM resolved AS claims
  INNER JOIN sales
    ON sales.source = claims.source AND sales.order_id = claims.order_id
  WHERE
    claims.event IN ('Order Refunded', 'Order Cancelled')
), refunds AS (
  /* Refunds of known orders: what each takes, in the order's currency. The refunds of an order never exceed it: */
  /* each takes the least of what was stated so far and of the order, less what was taken before. */
  SELECT
    source,
    order_id,
    row_id,
    uid,
    currency,
    order_ms,
    time_ms,
    takes_rest,
    stated_currency,
    CAST(taken_so_far - COALESCE(
      LAG(taken_so_far) OVER (PARTITION BY source, order_id ORDER BY time_ms, row_id),
      CAST(0 AS DECIMAL(18, 6))
    ) AS DECIMAL(18, 6)) AS refunded
  FROM (
    SELECT
      source,
      order_id,
      row_id,
      uid,
      currency,
      order_ms,
      time_ms,
      takes_rest,
      stated_currency,
      CAST(CASE
        WHEN MAX(takes_rest) OVER (
          PARTITION BY source, order_id
          ORDER BY time_ms, row_id
          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) = 1
        THEN gross
        ELSE LEAST(
          COALESCE(
            SUM(stated) OVER (
              PARTITION BY source, order_id
              ORDER BY time_ms, row_id
              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ),
            gross
          ),
          COALESCE(
            gross,
            SUM(stated) OVER (
              PARTITION BY source, order_id
              ORDER BY time_ms, row_id
              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            )
          )
        )
      END AS DECIMAL(18, 6)) AS taken_so_far
    FROM refund_claims
  ) AS running
), money AS (
  /* Sales and refunds as one list: time_ms is when a row happened, booked_ms the moment on which it counts. */
  SELECT
    uid,
    currency,
    time_ms,
    time_ms AS booked_ms,
    gross,
    CAST(0 AS DECIMAL(18, 6)) AS refunded,
    1 AS orders,
    CASE WHEN gross IS NULL THEN 1 ELSE 0 END AS unpriced_orders,
    CASE WHEN order_revenue_from <> 'revenue' THEN 1 ELSE 0 END AS fallback_orders,
    0 AS foreign_refunds
  FROM sales
  UNION ALL
  SELECT
    uid,
    currency,
    time_ms,
    time_ms AS booked_ms,
    CAST(0 AS DECIMAL(18, 6)) AS gross,
    refunded,
    0 AS orders,
    0 AS unpriced_orders,
    0 AS fallback_orders,
    CASE WHEN takes_rest = 0 AND stated_currency <> currency THEN 1 ELSE 0 END AS foreign_refunds
  FROM refunds
), booked_orders AS (
  /* Sales and refunds that count in the range, each with its period. */
  SELECT
    uid,
    currency,
    gross,
    refunded,
    orders,
    unpriced_orders,
    fallback_orders,
    foreign_refunds,
    CASE WHEN day_number < 20542 THEN 0 ELSE 1 END AS period
  FROM (
    SELECT
      uid,
      currency,
      gross,
      refunded,
      orders,
      unpriced_orders,
      fallback_orders,
      foreign_refunds,
      (
        CAST((
          booked_ms + CASE
            WHEN booked_ms >= 1806195600000
            THEN 7200000
            WHEN booked_ms >= 1792890000000
            THEN 3600000
            WHEN booked_ms >= 1774746000000
            THEN 7200000
            WHEN booked_ms >= 1761440400000
            THEN 3600000
            WHEN booked_ms >= 1743296400000
            THEN 7200000
            ELSE 3600000
          END
        ) AS BIGINT) / CAST(86400000 AS BIGINT)
      ) AS day_number
    FROM money AS amounts
    WHERE
      booked_ms >= 1774306800000 AND booked_ms < 1775340000000
  ) AS dated
), compared_orders AS (
  /* Orders of each person before and after, whatever their currency. */
  SELECT
    uid,
    SUM(CASE WHEN period = 0 THEN orders ELSE 0 END) AS orders_before,
    SUM(CASE WHEN period = 1 THEN orders ELSE 0 END) AS orders_after
  FROM booked_orders
  WHERE
    NOT uid IS NULL
  GROUP BY
    uid
), compared AS (
  /* What each person who is compared did before and after; nothing is 0. */
  SELECT
    people.uid,
    COALESCE(active.active_before, 0) AS active_before,
    COALESCE(active.active_after, 0) AS active_after,
    COALESCE(views.viewed_before, 0) AS viewed_before,
    COALESCE(views.viewed_after, 0) AS viewed_after,
    COALESCE(views.converted_before, 0) AS converted_before,
    COALESCE(views.converted_after, 0) AS converted_after,
    COALESCE(bought.orders_before, 0) AS orders_before,
    COALESCE(bought.orders_after, 0) AS orders_after
  FROM compared_people AS people
  LEFT JOIN compared_active AS active
    ON active.uid = people.uid
  LEFT JOIN compared_views AS views
    ON views.uid = people.uid
  LEFT JOIN compared_orders AS bought
    ON bought.uid = people.uid
), compared_counts AS (
  /* How many people did the same before and after. */
  SELECT
    active_before,
    active_after,
    viewed_before,
    viewed_after,
    converted_before,
    converted_after,
    orders_before,
    orders_after,
    COUNT(*) AS people
  FROM compared
  GROUP BY
    active_before,
    active_after,
    viewed_before,
    viewed_after,
    converted_before,
    converted_after,
    orders_before,
    orders_after
)
SELECT
  *
FROM compared_counts;

-- 2 of 4
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
), sales AS (
  /* Sales: the earliest Order Completed of each order of a source; later ones are retries and count nowhere. */
  /* gross is empty where the order states no revenue. */
  SELECT
    source,
    order_id,
    row_id,
    uid,
    time_ms,
    currency,
    order_revenue AS gross,
    order_revenue_from
  FROM numbered_sales
  WHERE
    sale_number = 1
), refund_claims AS (
  /* What was said of giving back an order that is known; a cancellation, and a refund without an amount, takes the rest. */
  SELECT
    sales.source,
    sales.order_id,
    sales.uid,
    sales.currency,
    sales.time_ms AS order_ms,
    COALESCE(sales.gross, CAST(0 AS DECIMAL(18, 6))) AS gross,
    claims.row_id,
    claims.time_ms,
    claims.currency AS stated_currency,
    COALESCE(claims.refund_amount, CAST(0 AS DECIMAL(18, 6))) AS stated,
    CASE
      WHEN claims.event = 'Order Cancelled' OR claims.refund_amount IS NULL
      THEN 1
      ELSE 0
    END AS takes_rest
  FROM resolved AS claims
  INNER JOIN sales
    ON sales.source = claims.source AND sales.order_id = claims.order_id
  WHERE
    claims.event IN ('Order Refunded', 'Order Cancelled')
), refunds AS (
  /* Refunds of known orders: what each takes, in the order's currency. The refunds of an order never exceed it: */
  /* each takes the least of what was stated so far and of the order, less what was taken before. */
  SELECT
    source,
    order_id,
    row_id,
    uid,
    currency,
    order_ms,
    time_ms,
    takes_rest,
    stated_currency,
    CAST(taken_so_far - COALESCE(
      LAG(taken_so_far) OVER (PARTITION BY source, order_id ORDER BY time_ms, row_id),
      CAST(0 AS DECIMAL(18, 6))
    ) AS DECIMAL(18, 6)) AS refunded
  FROM (
    SELECT
      source,
      order_id,
      row_id,
      uid,
      currency,
      order_ms,
      time_ms,
      takes_rest,
      stated_currency,
      CAST(CASE
        WHEN MAX(takes_rest) OVER (
          PARTITION BY source, order_id
          ORDER BY time_ms, row_id
          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) = 1
        THEN gross
        ELSE LEAST(
          COALESCE(
            SUM(stated) OVER (
              PARTITION BY source, order_id
              ORDER BY time_ms, row_id
              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ),
            gross
          ),
          COALESCE(
            gross,
            SUM(stated) OVER (
              PARTITION BY source, order_id
              ORDER BY time_ms, row_id
              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            )
          )
        )
      END AS DECIMAL(18, 6)) AS taken_so_far
    FROM refund_claims
  ) AS running
), amounts AS (
  /* Sales and refunds as one list: time_ms is when a row happened, booked_ms the moment on which it counts. */
  SELECT
    uid,
    currency,
    time_ms,
    time_ms AS booked_ms,
    gross,
    CAST(0 AS DECIMAL(18, 6)) AS refunded,
    1 AS orders,
    CASE WHEN gross IS NULL THEN 1 ELSE 0 END AS unpriced_orders,
    CASE WHEN order_revenue_from <> 'revenue' THEN 1 ELSE 0 END AS fallback_orders,
    0 AS foreign_refunds
  FROM sales
  UNION ALL
  SELECT
    uid,
    currency,
    time_ms,
    time_ms AS booked_ms,
    CAST(0 AS DECIMAL(18, 6)) AS gross,
    refunded,
    0 AS orders,
    0 AS unpriced_orders,
    0 AS fallback_orders,
    CASE WHEN takes_rest = 0 AND stated_currency <> currency THEN 1 ELSE 0 END AS foreign_refunds
  FROM refunds
), booked AS (
  /* Sales and refunds that count in the range, each with its period. */
  SELECT
    uid,
    currency,
    gross,
    refunded,
    orders,
    unpriced_orders,
    fallback_orders,
    foreign_refunds,
    CASE WHEN day_number < 20542 THEN 0 ELSE 1 END AS period
  FROM (
    SELECT
      uid,
      currency,
      gross,
      refunded,
      orders,
      unpriced_orders,
      fallback_orders,
      foreign_refunds,
      (
        CAST((
          booked_ms + CASE
            WHEN booked_ms >= 1806195600000
            THEN 7200000
            WHEN booked_ms >= 1792890000000
            THEN 3600000
            WHEN booked_ms >= 1774746000000
            THEN 7200000
            WHEN booked_ms >= 1761440400000
            THEN 3600000
            WHEN booked_ms >= 1743296400000
            THEN 7200000
            ELSE 3600000
          END
        ) AS BIGINT) / CAST(86400000 AS BIGINT)
      ) AS day_number
    FROM amounts
    WHERE
      booked_ms >= 1774306800000 AND booked_ms < 1775340000000
  ) AS dated
), compared_people AS (
  SELECT
    CAST(c0 AS VARCHAR) AS uid
  FROM (VALUES
    ('$device:device-3'),
    ('ann'),
    ('ben'),
    ('nobody')) AS literal_rows(c0)
), compared_money_people AS (
  /* Money of each person who is compared, before and after, per currency. */
  SELECT
    people.uid,
    booked.currency,
    SUM(CASE WHEN booked.period = 0 THEN booked.gross END) AS gross_before,
    SUM(CASE WHEN booked.period = 0 THEN booked.refunded END) AS refunds_before,
    SUM(CASE WHEN booked.period = 1 THEN booked.gross END) AS gross_after,
    SUM(CASE WHEN booked.period = 1 THEN booked.refunded END) AS refunds_after,
    SUM(booked.unpriced_orders) AS unpriced_orders,
    SUM(booked.fallback_orders) AS fallback_orders,
    SUM(booked.foreign_refunds) AS foreign_refunds
  FROM booked
  INNER JOIN compared_people AS people
    ON people.uid = booked.uid
  GROUP BY
    people.uid,
    booked.currency
), activity AS (
  /* Rows of the days asked for, a day more on either side, whose time is known. */
  SELECT
    *
  FROM resolved
  WHERE
    day BETWEEN CAST('2026-03-22' AS DATE) AND CAST('2026-04-07' AS DATE)
    AND NOT time_ms IS NULL
), active_people AS (
  /* Each person once in every period with any event of theirs. */
  SELECT DISTINCT
    uid,
    CASE WHEN day_number < 20542 THEN 0 ELSE 1 END AS period
  FROM (
    SELECT
      uid,
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
      ) AS day_number
    FROM activity
    WHERE
      NOT uid IS NULL AND time_ms >= 1774306800000 AND time_ms < 1775340000000
  ) AS dated
), compared_active AS (
  /* Who had any event before (period 0) and after (period 1). */
  SELECT
    uid,
    MAX(CASE WHEN period = 0 THEN 1 ELSE 0 END) AS active_before,
    MAX(CASE WHEN period = 1 THEN 1 ELSE 0 END) AS active_after
  FROM active_people
  GROUP BY
    uid
), compared_money AS (
  /* Sums of money, exact, and of net revenue squared, per currency and by who was active when. */
  SELECT
    currency,
    active_before,
    active_after,
    SUM(gross_before) AS gross_before,
    SUM(refunds_before) AS refunds_before,
    SUM(gross_after) AS gross_after,
    SUM(refunds_after) AS refunds_after,
    SUM(net_before * net_before) AS before_squared,
    SUM(net_after * net_after) AS after_squared,
    SUM(net_before * net_after) AS product,
    SUM(unpriced_orders) AS unpriced_orders,
    SUM(fallback_orders) AS fallback_orders,
    SUM(foreign_refunds) AS foreign_refunds
  FROM (
    SELECT
      money.*,
      COALESCE(active.active_before, 0) AS active_before,
      COALESCE(active.active_after, 0) AS active_after,
      COALESCE(CAST(money.gross_before AS DOUBLE), CAST(0 AS DOUBLE)) - COALESCE(CAST(money.refunds_before AS DOUBLE), CAST(0 AS DOUBLE)) AS net_before,
      COALESCE(CAST(money.gross_after AS DOUBLE), CAST(0 AS DOUBLE)) - COALESCE(CAST(money.refunds_after AS DOUBLE), CAST(0 AS DOUBLE)) AS net_after
    FROM compared_money_people AS money
    LEFT JOIN compared_active AS active
      ON active.uid = money.uid
  ) AS people
  GROUP BY
    currency,
    active_before,
    active_after
)
SELECT
  *
FROM compared_money;

-- 3 of 4
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
    day BETWEEN CAST('2026-03-22' AS DATE) AND CAST('2026-04-07' AS DATE)
    AND NOT time_ms IS NULL
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
), sales AS (
  /* Sales: the earliest Order Completed of each order of a source; later ones are retries and count nowhere. */
  /* gross is empty where the order states no revenue. */
  SELECT
    source,
    order_id,
    row_id,
    uid,
    time_ms,
    currency,
    order_revenue AS gross,
    order_revenue_from
  FROM numbered_sales
  WHERE
    sale_number = 1
), unmatched_refunds AS (
  /* Refunds and cancellations of the range whose order is not known. They are reported and not subtracted. */
  SELECT
    claims.currency,
    COUNT(*) AS refunds,
    SUM(claims.refund_amount) AS amount,
    SUM(CASE WHEN claims.refund_amount IS NULL THEN 1 ELSE 0 END) AS without_amount
  FROM activity AS claims
  LEFT JOIN sales
    ON sales.source = claims.source AND sales.order_id = claims.order_id
  WHERE
    claims.event IN ('Order Refunded', 'Order Cancelled')
    AND claims.time_ms >= 1774306800000
    AND claims.time_ms < 1775340000000
    AND sales.row_id IS NULL
  GROUP BY
    claims.currency
)
SELECT
  *
FROM unmatched_refunds
ORDER BY
  currency;

-- 4 of 4
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
