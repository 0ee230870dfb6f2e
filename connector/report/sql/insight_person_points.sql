-- One metric per period and segment: the measurement over people.
SELECT
    period,
    segment,
    $value AS value,
    count(amount) AS known,
    min(least_currency) AS least_currency,
    max(greatest_currency) AS greatest_currency
FROM insight_people
GROUP BY period, segment
