-- One metric per period, segment and person.
SELECT
    period,
    segment,
    uid,
    $amount AS amount,
    min(currency) AS least_currency,
    max(currency) AS greatest_currency
FROM insight_segments
WHERE uid IS NOT NULL
GROUP BY period, segment, uid
