-- Exposed people with a conversion in their window.
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
