-- connector report arpu, as SQL for Athena: rendered, not run.
-- Tables it reads: events_raw, profiles_raw, aliases_raw.
-- Each has every row of the files below tables/<name>, copies included: the columns that docs/tables.md
-- declares, and day (date) from the path. What is computed afterwards, such as p-values, is not in it.

-- 1 of 6
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

-- 2 of 6
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
    (
      day_number - (
        day_number + 3
      ) % 7
    ) AS period
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
            WHEN booked_ms >= 1824944400000
            THEN 3600000
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
            WHEN booked_ms >= 1729990800000
            THEN 3600000
            WHEN booked_ms >= 1711846800000
            THEN 7200000
            WHEN booked_ms >= 1698541200000
            THEN 3600000
            WHEN booked_ms >= 1679792400000
            THEN 7200000
            WHEN booked_ms >= 1667091600000
            THEN 3600000
            WHEN booked_ms >= 1648342800000
            THEN 7200000
            WHEN booked_ms >= 1635642000000
            THEN 3600000
            WHEN booked_ms >= 1616893200000
            THEN 7200000
            WHEN booked_ms >= 1603587600000
            THEN 3600000
            WHEN booked_ms >= 1585443600000
            THEN 7200000
            WHEN booked_ms >= 1572138000000
            THEN 3600000
            WHEN booked_ms >= 1553994000000
            THEN 7200000
            WHEN booked_ms >= 1540688400000
            THEN 3600000
            WHEN booked_ms >= 1521939600000
            THEN 7200000
            WHEN booked_ms >= 1509238800000
            THEN 3600000
            WHEN booked_ms >= 1490490000000
            THEN 7200000
            WHEN booked_ms >= 1477789200000
            THEN 3600000
            WHEN booked_ms >= 1459040400000
            THEN 7200000
            WHEN booked_ms >= 1445734800000
            THEN 3600000
            WHEN booked_ms >= 1427590800000
            THEN 7200000
            WHEN booked_ms >= 1414285200000
            THEN 3600000
            WHEN booked_ms >= 1396141200000
            THEN 7200000
            WHEN booked_ms >= 1382835600000
            THEN 3600000
            WHEN booked_ms >= 1364691600000
            THEN 7200000
            WHEN booked_ms >= 1351386000000
            THEN 3600000
            WHEN booked_ms >= 1332637200000
            THEN 7200000
            WHEN booked_ms >= 1319936400000
            THEN 3600000
            WHEN booked_ms >= 1301187600000
            THEN 7200000
            WHEN booked_ms >= 1288486800000
            THEN 3600000
            WHEN booked_ms >= 1269738000000
            THEN 7200000
            WHEN booked_ms >= 1256432400000
            THEN 3600000
            WHEN booked_ms >= 1238288400000
            THEN 7200000
            ELSE 3600000
          END
        ) AS BIGINT) / CAST(86400000 AS BIGINT)
      ) AS day_number
    FROM amounts
    WHERE
      booked_ms >= 1262300400000 AND booked_ms < 1793574000000
  ) AS dated
), series AS (
  /* The rows of everybody, as a series of its own. */
  SELECT
    CAST('all' AS VARCHAR) AS cohort,
    rows_.*
  FROM booked AS rows_
), arpu_money AS (
  /* Money, orders and buyers per series, period and currency. */
  SELECT
    cohort,
    period,
    currency,
    SUM(gross) AS gross,
    SUM(refunded) AS refunds,
    SUM(orders) AS orders,
    COUNT(DISTINCT CASE WHEN orders = 1 THEN uid END) AS buyers,
    SUM(unpriced_orders) AS unpriced_orders,
    SUM(fallback_orders) AS fallback_orders,
    SUM(foreign_refunds) AS foreign_refunds
  FROM series
  GROUP BY
    cohort,
    period,
    currency
)
SELECT
  *
FROM arpu_money;

-- 3 of 6
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
    (
      day_number - (
        day_number + 3
      ) % 7
    ) AS period
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
            WHEN booked_ms >= 1824944400000
            THEN 3600000
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
            WHEN booked_ms >= 1729990800000
            THEN 3600000
            WHEN booked_ms >= 1711846800000
            THEN 7200000
            WHEN booked_ms >= 1698541200000
            THEN 3600000
            WHEN booked_ms >= 1679792400000
            THEN 7200000
            WHEN booked_ms >= 1667091600000
            THEN 3600000
            WHEN booked_ms >= 1648342800000
            THEN 7200000
            WHEN booked_ms >= 1635642000000
            THEN 3600000
            WHEN booked_ms >= 1616893200000
            THEN 7200000
            WHEN booked_ms >= 1603587600000
            THEN 3600000
            WHEN booked_ms >= 1585443600000
            THEN 7200000
            WHEN booked_ms >= 1572138000000
            THEN 3600000
            WHEN booked_ms >= 1553994000000
            THEN 7200000
            WHEN booked_ms >= 1540688400000
            THEN 3600000
            WHEN booked_ms >= 1521939600000
            THEN 7200000
            WHEN booked_ms >= 1509238800000
            THEN 3600000
            WHEN booked_ms >= 1490490000000
            THEN 7200000
            WHEN booked_ms >= 1477789200000
            THEN 3600000
            WHEN booked_ms >= 1459040400000
            THEN 7200000
            WHEN booked_ms >= 1445734800000
            THEN 3600000
            WHEN booked_ms >= 1427590800000
            THEN 7200000
            WHEN booked_ms >= 1414285200000
            THEN 3600000
            WHEN booked_ms >= 1396141200000
            THEN 7200000
            WHEN booked_ms >= 1382835600000
            THEN 3600000
            WHEN booked_ms >= 1364691600000
            THEN 7200000
            WHEN booked_ms >= 1351386000000
            THEN 3600000
            WHEN booked_ms >= 1332637200000
            THEN 7200000
            WHEN booked_ms >= 1319936400000
            THEN 3600000
            WHEN booked_ms >= 1301187600000
            THEN 7200000
            WHEN booked_ms >= 1288486800000
            THEN 3600000
            WHEN booked_ms >= 1269738000000
            THEN 7200000
            WHEN booked_ms >= 1256432400000
            THEN 3600000
            WHEN booked_ms >= 1238288400000
            THEN 7200000
            ELSE 3600000
          END
        ) AS BIGINT) / CAST(86400000 AS BIGINT)
      ) AS day_number
    FROM amounts
    WHERE
      booked_ms >= 1262300400000 AND booked_ms < 1793574000000
  ) AS dated
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
  FROM booked AS rows_
  INNER JOIN members
    ON members.uid = rows_.uid
), arpu_money AS (
  /* Money, orders and buyers per series, period and currency. */
  SELECT
    cohort,
    period,
    currency,
    SUM(gross) AS gross,
    SUM(refunded) AS refunds,
    SUM(orders) AS orders,
    COUNT(DISTINCT CASE WHEN orders = 1 THEN uid END) AS buyers,
    SUM(unpriced_orders) AS unpriced_orders,
    SUM(fallback_orders) AS fallback_orders,
    SUM(foreign_refunds) AS foreign_refunds
  FROM series
  GROUP BY
    cohort,
    period,
    currency
)
SELECT
  *
FROM arpu_money;

-- 4 of 6
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
), active_people AS (
  /* Each person once in every period with any event of theirs. */
  SELECT DISTINCT
    uid,
    (
      day_number - (
        day_number + 3
      ) % 7
    ) AS period
  FROM (
    SELECT
      uid,
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
      NOT uid IS NULL AND time_ms >= 1262300400000 AND time_ms < 1793574000000
  ) AS dated
), series AS (
  /* The rows of everybody, as a series of its own. */
  SELECT
    CAST('all' AS VARCHAR) AS cohort,
    rows_.*
  FROM active_people AS rows_
), arpu_people AS (
  /* People with any event per series and period. */
  SELECT
    cohort,
    period,
    COUNT(*) AS active_users
  FROM series
  GROUP BY
    cohort,
    period
)
SELECT
  *
FROM arpu_people;

-- 5 of 6
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
), active_people AS (
  /* Each person once in every period with any event of theirs. */
  SELECT DISTINCT
    uid,
    (
      day_number - (
        day_number + 3
      ) % 7
    ) AS period
  FROM (
    SELECT
      uid,
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
      NOT uid IS NULL AND time_ms >= 1262300400000 AND time_ms < 1793574000000
  ) AS dated
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
  FROM active_people AS rows_
  INNER JOIN members
    ON members.uid = rows_.uid
), arpu_people AS (
  /* People with any event per series and period. */
  SELECT
    cohort,
    period,
    COUNT(*) AS active_users
  FROM series
  GROUP BY
    cohort,
    period
)
SELECT
  *
FROM arpu_people;

-- 6 of 6
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
    AND claims.time_ms >= 1262300400000
    AND claims.time_ms < 1793574000000
    AND sales.row_id IS NULL
  GROUP BY
    claims.currency
)
SELECT
  *
FROM unmatched_refunds
ORDER BY
  currency;
