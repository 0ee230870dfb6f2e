-- What was bought: one row per product of an order, or the event that takes its place.
SELECT uid, time_ms, category, product_id, name, price, quantity, line_revenue, currency, order_id, row_id
FROM activity
WHERE event = $purchase_event AND ($purchase_event <> 'Product Purchased' OR line_index IS NOT NULL)
