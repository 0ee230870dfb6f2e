-- People of one variant, each from their first exposure until the window after it ends.
SELECT uid, variant, exposed_ms, exposed_ms + $window_ms AS end_ms
FROM experiment_exposed
WHERE variant IS NOT NULL
