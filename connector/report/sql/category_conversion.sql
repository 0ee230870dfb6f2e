-- People who viewed each category and how many of them bought in it in time.
SELECT category, count(*) AS viewers, count(converted_ms) AS converted
FROM category_attempts
GROUP BY category
