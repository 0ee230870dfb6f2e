-- People who viewed one category and did not buy in it within the window, or those who did.
SELECT
    views.uid,
    views.first_view_ms,
    views.last_view_ms,
    views.views,
    views.last_product,
    bought.bought_outside_ms
FROM dropped_views AS views
LEFT JOIN dropped_purchases AS bought ON bought.uid = views.uid
WHERE CASE WHEN bought.converted_ms IS NULL THEN 'dropped' ELSE 'converted' END = $state
