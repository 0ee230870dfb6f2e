-- People born. reached: the last bracket of units that had begun for them; -1: none.
SELECT uid, bucket, birth_ms, point, $bracket AS reached
FROM (
    SELECT
        uid, bucket, birth_ms, point,
        CASE
            WHEN point > $now_point THEN -1
            ELSE least(whole($now_point - point, $width), $last_unit)
        END AS units
    FROM retention_births
) AS counted
