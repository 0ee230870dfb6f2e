-- One row per row_id, the first received. Not used where the copies are prepared.
SELECT *
FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY row_id ORDER BY received_at NULLS LAST, captured_file, captured_index
        ) AS copy_number
    FROM events_raw
    WHERE $as_of_ms IS NULL OR coalesce(ms_of(received_at), 0) <= $as_of_ms
) AS numbered
WHERE copy_number = 1
