-- Viewers and how many of them bought in time, per series, period and category.
SELECT cohort, period, category, count(*) AS viewers, count(converted_ms) AS converted
FROM series
GROUP BY cohort, period, category
