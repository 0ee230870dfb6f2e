-- How many attempts came how far and no further, and how long those took that came to the end, in ms.
SELECT
    period,
    segment,
    reached,
    count(*) AS attempts,
    avg(convert_ms) AS ttc_mean,
    percentile(convert_ms, 0.5) AS ttc_median,
    percentile(convert_ms, 0.25) AS ttc_p25,
    percentile(convert_ms, 0.75) AS ttc_p75,
    percentile(convert_ms, 0.9) AS ttc_p90
FROM funnel_attempts
GROUP BY period, segment, reached
