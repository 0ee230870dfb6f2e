-- The first and the last time that rows have, and when the last row was received.
SELECT
    min(ms_of(timestamp)) AS first_ms,
    max(ms_of(timestamp)) AS last_ms,
    max(ms_of(received_at)) AS received_ms,
    count(*) AS row_count
FROM events_raw
WHERE ($source IS NULL OR source = $source) AND ($as_of_ms IS NULL OR coalesce(ms_of(received_at), 0) <= $as_of_ms)
