-- Sales: the earliest Order Completed of each order of a source; later ones are retries and count nowhere.
-- gross is empty where the order states no revenue.
SELECT source, order_id, row_id, uid, time_ms, currency, order_revenue AS gross, order_revenue_from
FROM numbered_sales
WHERE sale_number = 1
