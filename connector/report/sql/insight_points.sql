-- One metric per period and segment: rows, people, and the measurement over rows.
SELECT
    period,
    segment,
    count(*) AS totals,
    count(DISTINCT uid) AS uniques,
    $value AS value,
    count(property) AS known,
    min(currency) AS least_currency,
    max(currency) AS greatest_currency
FROM insight_segments
GROUP BY period, segment
