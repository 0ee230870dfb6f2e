-- Every unique row with its person: the user, else the user of the device, else the device.
SELECT
    rows_.*,
    ms_of(rows_.timestamp) AS time_ms,
    coalesce(
        nullif(rows_.user_id, ''),
        identities.user_id,
        '$device:' || nullif(rows_.anonymous_id, ''),
        nullif(rows_.distinct_id, '')
    ) AS uid
FROM unique_events AS rows_
LEFT JOIN identities
    ON
        identities.anonymous_id = CASE
            WHEN coalesce(rows_.user_id, '') = ''
                THEN coalesce(nullif(rows_.anonymous_id, ''), rows_.distinct_id)
        END
