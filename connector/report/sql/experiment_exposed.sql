-- People from their first exposure on. Whoever was exposed to two variants is in none.
SELECT
    experiment,
    uid,
    min(time_ms) AS exposed_ms,
    CASE WHEN min(exposed_to) = max(exposed_to) THEN min(exposed_to) END AS variant
FROM experiment_exposures
WHERE
    experiment IS NOT NULL AND exposed_to IS NOT NULL
    AND ($experiment IS NULL OR experiment = $experiment)
GROUP BY experiment, uid
