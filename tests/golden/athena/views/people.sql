CREATE OR REPLACE VIEW people AS
WITH unique_events AS (
  SELECT
    *
  FROM events
), resolved AS (
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
), unique_profiles AS (
  SELECT
    *
  FROM profiles
), resolved_profiles AS (
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
)
SELECT
  *
FROM people
