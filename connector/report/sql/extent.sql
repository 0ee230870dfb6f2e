-- The first and the last time that rows have. Where it is known which days are the first and the last, of these alone.
SELECT ms_of(min(timestamp)) AS first_ms, ms_of(max(timestamp)) AS last_ms
FROM events_raw
WHERE
    ($source IS NULL OR source = $source)
    AND ($as_of_ms IS NULL OR coalesce(ms_of(received_at), 0) <= $as_of_ms)
    AND ($earliest_day IS NULL OR day IN ($earliest_day, $latest_day))
