-- connector report people, as SQL for Athena: rendered, not run.
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
), people_seen AS (
  /* When each person's first and last rows happened, and how many there are. */
  SELECT
    uid,
    MAX(NULLIF(user_id, '')) AS user_id,
    MIN(time_ms) AS first_seen_ms,
    MAX(time_ms) AS last_seen_ms,
    COUNT(*) AS events
  FROM resolved
  WHERE
    NOT uid IS NULL AND NOT time_ms IS NULL
  GROUP BY
    uid
), resolved_profiles AS (
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
  FROM unique_profiles AS rows_
  LEFT JOIN identities
    ON identities.anonymous_id = CASE
      WHEN COALESCE(rows_.user_id, '') = ''
      THEN COALESCE(NULLIF(rows_.anonymous_id, ''), rows_.distinct_id)
    END
), profile_steps AS (
  /* Every identify call with its person, numbered in the order in which the calls act. */
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY uid
      ORDER BY time_ms NULLS FIRST, received_at, captured_file, captured_index, row_id
    ) AS step
  FROM resolved_profiles
  WHERE
    NOT uid IS NULL
), profile_statements AS (
  /* Identify calls, each trait beside the last step of its person that states it. The code adds the traits. */
  SELECT
    uid,
    step,
    user_id,
    email,
    MAX(
      CASE
        WHEN NOT email IS NULL
        OR (
          CONTAINS(MAP_KEYS(CAST(JSON_PARSE(traits) AS MAP(VARCHAR, JSON))), 'email')
        )
        THEN step
      END
    ) OVER (PARTITION BY uid) AS email_step,
    phone,
    MAX(
      CASE
        WHEN NOT phone IS NULL
        OR (
          CONTAINS(MAP_KEYS(CAST(JSON_PARSE(traits) AS MAP(VARCHAR, JSON))), 'phone')
        )
        THEN step
      END
    ) OVER (PARTITION BY uid) AS phone_step,
    name,
    MAX(
      CASE
        WHEN NOT name IS NULL
        OR (
          CONTAINS(MAP_KEYS(CAST(JSON_PARSE(traits) AS MAP(VARCHAR, JSON))), 'name')
        )
        THEN step
      END
    ) OVER (PARTITION BY uid) AS name_step,
    first_name,
    MAX(
      CASE
        WHEN NOT first_name IS NULL
        OR (
          CONTAINS(MAP_KEYS(CAST(JSON_PARSE(traits) AS MAP(VARCHAR, JSON))), 'first_name')
        )
        OR (
          CONTAINS(MAP_KEYS(CAST(JSON_PARSE(traits) AS MAP(VARCHAR, JSON))), 'firstName')
        )
        THEN step
      END
    ) OVER (PARTITION BY uid) AS first_name_step,
    last_name,
    MAX(
      CASE
        WHEN NOT last_name IS NULL
        OR (
          CONTAINS(MAP_KEYS(CAST(JSON_PARSE(traits) AS MAP(VARCHAR, JSON))), 'last_name')
        )
        OR (
          CONTAINS(MAP_KEYS(CAST(JSON_PARSE(traits) AS MAP(VARCHAR, JSON))), 'lastName')
        )
        THEN step
      END
    ) OVER (PARTITION BY uid) AS last_name_step,
    address_city,
    MAX(
      CASE
        WHEN NOT address_city IS NULL
        OR (
          CONTAINS(MAP_KEYS(CAST(JSON_PARSE(traits) AS MAP(VARCHAR, JSON))), 'address')
        )
        THEN step
      END
    ) OVER (PARTITION BY uid) AS address_city_step,
    address_country,
    MAX(
      CASE
        WHEN NOT address_country IS NULL
        OR (
          CONTAINS(MAP_KEYS(CAST(JSON_PARSE(traits) AS MAP(VARCHAR, JSON))), 'address')
        )
        THEN step
      END
    ) OVER (PARTITION BY uid) AS address_country_step,
    locale,
    MAX(
      CASE
        WHEN NOT locale IS NULL
        OR (
          CONTAINS(MAP_KEYS(CAST(JSON_PARSE(traits) AS MAP(VARCHAR, JSON))), 'locale')
        )
        THEN step
      END
    ) OVER (PARTITION BY uid) AS locale_step
  FROM profile_steps
), people_traits AS (
  /* Each person's current traits: what the last call says that states them. The code adds the traits. */
  SELECT
    uid,
    MAX(NULLIF(user_id, '')) AS user_id,
    MAX(CASE WHEN step = email_step THEN email END) AS email,
    MAX(CASE WHEN step = phone_step THEN phone END) AS phone,
    MAX(CASE WHEN step = name_step THEN name END) AS name,
    MAX(CASE WHEN step = first_name_step THEN first_name END) AS first_name,
    MAX(CASE WHEN step = last_name_step THEN last_name END) AS last_name,
    MAX(CASE WHEN step = address_city_step THEN address_city END) AS address_city,
    MAX(CASE WHEN step = address_country_step THEN address_country END) AS address_country,
    MAX(CASE WHEN step = locale_step THEN locale END) AS locale
  FROM profile_statements
  GROUP BY
    uid
), people AS (
  /* One row per person who sent a row or was identified. The code adds the traits. */
  SELECT
    COALESCE(seen.uid, traits.uid) AS uid,
    COALESCE(seen.user_id, traits.user_id, linked.user_id) AS user_id,
    seen.first_seen_ms,
    seen.last_seen_ms,
    COALESCE(seen.events, 0) AS events,
    traits.email,
    traits.phone,
    traits.name,
    traits.first_name,
    traits.last_name,
    traits.address_city,
    traits.address_country,
    traits.locale
  FROM people_seen AS seen
  FULL JOIN people_traits AS traits
    ON traits.uid = seen.uid
  LEFT JOIN (
    SELECT DISTINCT
      user_id
    FROM identities
  ) AS linked
    ON linked.user_id = COALESCE(seen.uid, traits.uid)
), activity AS (
  /* Rows of the days asked for, a day more on either side, whose time is known. */
  SELECT
    *
  FROM resolved
  WHERE
    day BETWEEN CAST('2026-03-20' AS DATE) AND CAST('2026-04-11' AS DATE)
    AND NOT time_ms IS NULL
), people_active AS (
  /* Rows of each person within the range. */
  SELECT
    uid,
    COUNT(*) AS events
  FROM activity
  WHERE
    NOT uid IS NULL AND time_ms >= 1774134000000 AND time_ms < 1775858400000
  GROUP BY
    uid
), people_listed AS (
  /* People with rows in the range, or everyone, with their current traits. */
  SELECT
    people.*,
    COALESCE(active.events, 0) AS active_events
  FROM people
  LEFT JOIN people_active AS active
    ON active.uid = people.uid
  WHERE
    NOT active.uid IS NULL OR FALSE
)
SELECT
  *
FROM people_listed
ORDER BY
  uid;

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
), people_orders AS (
  /* Orders of each person within the range, per currency. */
  SELECT
    uid,
    currency,
    COUNT(*) AS orders,
    SUM(gross) AS gross
  FROM sales
  WHERE
    NOT uid IS NULL AND time_ms >= 1774134000000 AND time_ms < 1775858400000
  GROUP BY
    uid,
    currency
)
SELECT
  *
FROM people_orders
ORDER BY
  uid,
  currency;
