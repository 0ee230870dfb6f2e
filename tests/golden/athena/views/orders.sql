CREATE OR REPLACE VIEW orders AS
WITH sales AS (
  SELECT
    source,
    order_id,
    currency,
    user_id,
    anonymous_id,
    timestamp,
    day,
    line_count,
    order_revenue,
    ROW_NUMBER() OVER (PARTITION BY source, COALESCE(order_id, row_id) ORDER BY timestamp, row_id) AS sale_number
  FROM events
  WHERE
    event = 'Order Completed' AND line_index IS NULL
), returns AS (
  SELECT
    source,
    order_id,
    SUM(refund_amount) AS stated,
    MAX(CASE WHEN event = 'Order Cancelled' OR refund_amount IS NULL THEN 1 ELSE 0 END) AS takes_rest
  FROM events
  WHERE
    event IN ('Order Refunded', 'Order Cancelled') AND NOT order_id IS NULL
  GROUP BY
    source,
    order_id
)
SELECT
  sales.source,
  sales.order_id,
  sales.currency,
  sales.user_id,
  sales.anonymous_id,
  sales.timestamp,
  sales.day,
  sales.line_count,
  sales.order_revenue AS gross,
  CASE
    WHEN returns.order_id IS NULL
    THEN CAST(0 AS DECIMAL(18, 6))
    WHEN returns.takes_rest = 1 OR sales.order_revenue IS NULL
    THEN sales.order_revenue
    ELSE CAST(LEAST(
      COALESCE(returns.stated, sales.order_revenue),
      COALESCE(sales.order_revenue, returns.stated)
    ) AS DECIMAL(18, 6))
  END AS refunded
FROM sales
LEFT JOIN returns
  ON returns.source = sales.source AND returns.order_id = sales.order_id
WHERE
  sales.sale_number = 1
