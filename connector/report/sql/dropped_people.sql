-- People who viewed one category and did not buy in it within the window, or those who did.
SELECT
    attempts.uid,
    attempts.entry_ms AS first_view_ms,
    views.last_view_ms,
    views.views,
    views.last_product,
    outside.bought_ms AS bought_outside_ms
FROM category_attempts AS attempts
INNER JOIN dropped_views AS views ON views.uid = attempts.uid
LEFT JOIN dropped_outside AS outside ON outside.uid = attempts.uid
WHERE
    attempts.category = $category
    AND CASE WHEN attempts.converted_ms IS NULL THEN 'dropped' ELSE 'converted' END = $state
