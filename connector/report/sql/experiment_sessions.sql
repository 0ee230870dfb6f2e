-- Sessions of exposed people in their window: half an hour without a row ends one, and so does midnight.
SELECT
    'sessions' AS metric, variant, CAST(NULL AS VARCHAR) AS currency, CAST(NULL AS BIGINT) AS people,
    CAST(count(*) AS DECIMAL(38, 6)) AS total, CAST(NULL AS DOUBLE) AS mean, CAST(NULL AS DOUBLE) AS variance
FROM (
    SELECT
        people.variant, events.time_ms,
        lag(events.time_ms) OVER (PARTITION BY events.uid ORDER BY events.time_ms) AS previous_ms
    FROM experiment_people AS people
    INNER JOIN activity AS events
        ON
            events.uid = people.uid
            AND events.time_ms >= people.exposed_ms
            AND events.time_ms <= people.end_ms
) AS visits
WHERE
    previous_ms IS NULL
    OR time_ms - previous_ms >= 1800000
    OR local_day(time_ms) <> local_day(previous_ms)
GROUP BY variant
