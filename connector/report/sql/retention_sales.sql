-- The return events that are sales: an order counts once, however often it is reported.
SELECT amounts.uid, amounts.time_ms, amounts.point, amounts.amount_currency, amounts.amount, amounts.row_id
FROM retention_amounts AS amounts
INNER JOIN sales ON sales.row_id = amounts.row_id
