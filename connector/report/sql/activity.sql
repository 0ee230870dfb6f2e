-- Rows of the days asked for, a day more on either side, whose time is known.
SELECT *
FROM resolved
WHERE
    day BETWEEN $first_day AND $last_day
    AND time_ms IS NOT NULL
    AND ($source IS NULL OR source = $source)
