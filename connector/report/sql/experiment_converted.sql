-- Exposed people with a conversion in their window.
SELECT
    $metric AS metric, variant, CAST(NULL AS VARCHAR) AS currency, people, CAST(people AS DECIMAL(38, 6)) AS total,
    CAST(NULL AS DOUBLE) AS mean, CAST(NULL AS DOUBLE) AS variance
FROM (
    SELECT people.variant, count(DISTINCT people.uid) AS people
    FROM experiment_people AS people
    INNER JOIN (
        SELECT uid, time_ms
        FROM activity
        WHERE uid IS NOT NULL AND $converted
    ) AS conversions
        ON
            conversions.uid = people.uid
            AND conversions.time_ms >= people.exposed_ms
            AND conversions.time_ms <= people.end_ms
    GROUP BY people.variant
) AS converted
