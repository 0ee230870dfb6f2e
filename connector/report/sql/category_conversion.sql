-- People who viewed each category and how many of them bought in it in time.
SELECT category, sum(viewers) AS viewers, sum(converted) AS converted
FROM (
    SELECT category, count(*) AS viewers, CAST(0 AS BIGINT) AS converted
    FROM category_entries
    GROUP BY category
    UNION ALL
    SELECT category, CAST(0 AS BIGINT) AS viewers, count(*) AS converted
    FROM category_converted
    GROUP BY category
) AS counted
GROUP BY category
