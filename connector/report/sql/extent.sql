-- The first and the last time that rows have.
SELECT ms_of(min(timestamp)) AS first_ms, ms_of(max(timestamp)) AS last_ms
FROM events_raw
WHERE ($source IS NULL OR source = $source) AND ($as_of_ms IS NULL OR coalesce(ms_of(received_at), 0) <= $as_of_ms)
