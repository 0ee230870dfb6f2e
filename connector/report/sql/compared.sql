-- What each person who is compared did before and after; nothing is 0.
SELECT
    people.uid,
    coalesce(active.active_before, 0) AS active_before,
    coalesce(active.active_after, 0) AS active_after,
    coalesce(views.viewed_before, 0) AS viewed_before,
    coalesce(views.viewed_after, 0) AS viewed_after,
    coalesce(views.converted_before, 0) AS converted_before,
    coalesce(views.converted_after, 0) AS converted_after,
    coalesce(bought.orders_before, 0) AS orders_before,
    coalesce(bought.orders_after, 0) AS orders_after
FROM compared_people AS people
LEFT JOIN compared_active AS active ON active.uid = people.uid
LEFT JOIN compared_views AS views ON views.uid = people.uid
LEFT JOIN compared_orders AS bought ON bought.uid = people.uid
