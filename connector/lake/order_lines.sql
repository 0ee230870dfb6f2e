-- One row per product of an Order Completed.
SELECT *
FROM events
WHERE event = 'Product Purchased' AND line_index IS NOT NULL
