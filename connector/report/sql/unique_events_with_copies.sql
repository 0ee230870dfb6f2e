-- Every row, copies of an event too. For comparison only.
SELECT *
FROM events_raw
WHERE $as_of_ms IS NULL OR coalesce(ms_of(received_at), 0) <= $as_of_ms
