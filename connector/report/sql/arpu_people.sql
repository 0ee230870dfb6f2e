-- People with any event per series and period.
SELECT cohort, period, count(*) AS active_users
FROM series
GROUP BY cohort, period
