-- What was bought per category and currency within the range; the average is over purchase rows.
SELECT
    category,
    currency,
    count(*) AS purchases,
    sum(coalesce(quantity, CAST(1 AS DECIMAL(19, 3)))) AS units,
    sum(price) AS price_sum,
    count(price) AS priced,
    sum(CASE WHEN price IS NOT NULL THEN coalesce(quantity, CAST(1 AS DECIMAL(19, 3))) END) AS priced_units,
    sum(price * coalesce(quantity, CAST(1 AS DECIMAL(19, 3)))) AS item_revenue
FROM purchase_lines
WHERE time_ms >= $from_ms AND time_ms < $to_ms
GROUP BY category, currency
