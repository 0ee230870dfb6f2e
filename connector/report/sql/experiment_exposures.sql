-- Exposure events of the range. Mixpanel's own event may carry its own names of the two properties.
SELECT
    uid,
    time_ms,
    coalesce(experiment_name, experiment_id, properties ->> '$."Experiment name"') AS experiment,
    coalesce(variation_name, variation_id, properties ->> '$."Variant name"') AS exposed_to
FROM activity
WHERE
    event IN ('Experiment Viewed', '$experiment_started')
    AND uid IS NOT NULL AND time_ms >= $from_ms AND time_ms < $to_ms
