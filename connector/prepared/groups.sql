-- Every row with copies, and which of them counts. Before: old_groups; unread, and its rows in members.
INSERT INTO prepared.members
SELECT table_name, day, key, row_id, received_at, captured_file, captured_index
FROM prepared.old_groups ANTI JOIN prepared.unread USING (table_name, day, key);

CREATE TABLE prepared.groups AS
SELECT
    *,
    row_number() OVER copies = 1 AS stays,
    row_number() OVER copies > 1
        AND captured_file = first_value(captured_file) OVER copies
        AND captured_index = first_value(captured_index) OVER copies AS twin
FROM prepared.members
WINDOW
    of_one_row AS (PARTITION BY table_name, row_id),
    copies AS (PARTITION BY table_name, row_id ORDER BY received_at NULLS LAST, captured_file, captured_index)
QUALIFY count(*) OVER of_one_row > 1;
