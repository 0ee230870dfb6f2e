-- Viewers and how many of them bought in time, per series, period and category.
SELECT cohort, period, category, sum(viewers) AS viewers, sum(converted) AS converted
FROM series
GROUP BY cohort, period, category
