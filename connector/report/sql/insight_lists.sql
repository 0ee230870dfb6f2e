-- The longest list among the rows of one metric.
SELECT max(items(segment)) AS longest
FROM insight_rows
