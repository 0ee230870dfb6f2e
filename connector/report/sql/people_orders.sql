-- Orders of each person within the range, per currency.
SELECT uid, currency, count(*) AS orders, sum(gross) AS gross
FROM sales
WHERE uid IS NOT NULL AND time_ms >= $from_ms AND time_ms < $to_ms
GROUP BY uid, currency
