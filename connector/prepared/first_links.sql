-- The first statement about each device. Before: before, fresh_first, open, kept_links.
CREATE VIEW prepared.first_links AS
WITH touched AS (
    SELECT anonymous_id FROM prepared.fresh_first UNION SELECT anonymous_id FROM prepared.open
),
untouched AS (
    SELECT anonymous_id, user_id, linked_at_ms, row_id, table_name, day
    FROM prepared.before ANTI JOIN touched USING (anonymous_id)
),
-- A first statement that is not open has another time than every fresh one: its time alone decides.
closed AS (
    SELECT
        table_name, day, anonymous_id, user_id, linked_at_ms, NULL::VARCHAR AS message_id,
        NULL::INTEGER AS line_index, row_id
    FROM prepared.before SEMI JOIN touched USING (anonymous_id) ANTI JOIN prepared.open USING (anonymous_id)
),
candidates AS (
    FROM closed
    UNION ALL
    SELECT table_name, day, anonymous_id, user_id, linked_at_ms, message_id, line_index, row_id
    FROM prepared.fresh_first
    UNION ALL
    SELECT table_name, day, anonymous_id, user_id, linked_at_ms, message_id, line_index, row_id
    FROM prepared.kept_links SEMI JOIN prepared.open USING (anonymous_id)
)
FROM untouched
UNION ALL
SELECT anonymous_id, user_id, linked_at_ms, row_id, table_name, day
FROM candidates
QUALIFY row_number() OVER (
    PARTITION BY anonymous_id
    ORDER BY linked_at_ms NULLS LAST, message_id NULLS LAST, line_index NULLS FIRST, row_id, user_id
) = 1;
