-- How many people were active on how many days of a period.
SELECT period, days, count(*) AS people
FROM frequency_people
GROUP BY period, days
