-- Devices of which something new is said, and those whose first statement is open. Before: fresh_links, before.
CREATE TABLE prepared.fresh_first AS
WITH timed AS (
    SELECT *, coalesce(linked_at_ms, 9223372036854775807) AS at_ms FROM prepared.fresh_links
),
earliest AS (
    SELECT anonymous_id, min(at_ms) AS at_ms FROM timed GROUP BY anonymous_id
)
SELECT table_name, day, anonymous_id, user_id, linked_at_ms, message_id, line_index, row_id
FROM timed SEMI JOIN earliest USING (anonymous_id, at_ms)
QUALIFY row_number() OVER (
    PARTITION BY anonymous_id ORDER BY message_id NULLS LAST, line_index NULLS FIRST, row_id, user_id
) = 1;

CREATE TABLE prepared.open AS
SELECT before.anonymous_id, before.linked_at_ms
FROM prepared.before AS before LEFT JOIN prepared.fresh_first AS fresh USING (anonymous_id)
WHERE before.gone
    OR (fresh.day IS NOT NULL AND before.linked_at_ms IS NOT DISTINCT FROM fresh.linked_at_ms);
