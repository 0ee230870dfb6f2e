-- Every identify call with its person, numbered in the order in which the calls act.
SELECT
    *,
    row_number() OVER (
        PARTITION BY uid
        ORDER BY time_ms NULLS FIRST, received_at NULLS LAST, captured_file, captured_index, row_id
    ) AS step
FROM resolved_profiles
WHERE uid IS NOT NULL
