-- How many people did the same before and after.
SELECT
    active_before, active_after, viewed_before, viewed_after, converted_before, converted_after,
    orders_before, orders_after, count(*) AS people
FROM compared
GROUP BY
    active_before, active_after, viewed_before, viewed_after, converted_before, converted_after,
    orders_before, orders_after
