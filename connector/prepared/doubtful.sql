-- Which rows may have copies, and where they lie. Before: fresh_keys, old_keys, old_groups.
CREATE TABLE prepared.old_hits AS
SELECT table_name, day, key
FROM prepared.old_keys SEMI JOIN prepared.fresh_keys USING (key);

CREATE TABLE prepared.doubtful AS
SELECT key FROM prepared.fresh_keys GROUP BY key HAVING count(*) > 1
UNION
SELECT key FROM prepared.old_hits;

CREATE TABLE prepared.hits AS
SELECT table_name, day, key, count(*) AS row_count
FROM (
    SELECT table_name, day, key
    FROM prepared.fresh_keys SEMI JOIN prepared.doubtful USING (key)
    UNION ALL
    FROM prepared.old_hits
)
GROUP BY ALL;

-- A day that has not changed need not be read where all of its rows with the key are known already.
CREATE TABLE prepared.unread AS
SELECT table_name, day, key
FROM prepared.hits
ANTI JOIN (
    SELECT table_name, day, key, count(*) AS row_count FROM prepared.old_groups GROUP BY ALL
) USING (table_name, day, key, row_count);

CREATE TABLE prepared.members (
    table_name VARCHAR, day DATE, key UBIGINT, row_id VARCHAR, received_at TIMESTAMP WITH TIME ZONE,
    captured_file VARCHAR, captured_index BIGINT
);
