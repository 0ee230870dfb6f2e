-- Who of those who viewed one category bought in it: first within the window of the first view, and first outside it.
SELECT
    views.uid,
    min(
        CASE
            WHEN lines.time_ms >= views.first_view_ms - 2000 AND lines.time_ms <= views.first_view_ms + $window_ms
                THEN lines.time_ms
        END
    ) AS converted_ms,
    min(
        CASE
            WHEN lines.time_ms < views.first_view_ms - 2000 OR lines.time_ms > views.first_view_ms + $window_ms
                THEN lines.time_ms
        END
    ) AS bought_outside_ms
FROM dropped_views AS views
INNER JOIN every_purchase_line AS lines ON lines.uid = views.uid AND lines.category = $category
GROUP BY views.uid
