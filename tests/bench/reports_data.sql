-- A shop that never was: the same rows for the same parameters, every choice a hash of what it is about.
-- $people, $start and $length_ms (ms, from the first day on, UTC).

CREATE MACRO share(purpose, a, b) AS (hash(purpose, a, b) >> 11)::DOUBLE / 9007199254740992.0;
CREATE MACRO id(purpose, a, b) AS CAST(CAST(md5(purpose || a || '-' || b) AS UUID) AS VARCHAR);
CREATE MACRO category_of(product) AS list_extract(
    ['Beauty', 'Books', 'Electronics', 'Entertainment', 'Fashion', 'Garden', 'Groceries', 'Home Supplies',
     'Music', 'Pets', 'Sports', 'Toys'], product % 12 + 1);
CREATE MACRO price_of(product) AS CAST(4.99 + (hash('price', product) % 20000) / 100 AS DECIMAL(18, 6));

-- 40 % are signed in from the start, 24 % sign in later, the others never: 60 % are anonymous at first.
CREATE TABLE sessions AS
WITH people AS (
    SELECT
        person,
        share('known', person, 0) AS known,
        1 + least(11, floor(-ln(1 - share('visits', person, 0)) * 1.3)::INTEGER) AS visits
    FROM range($people) AS numbers (person)
),
visits AS (
    SELECT
        person, known, visit,
        $start + floor(share('start', person, visit) * $length_ms)::BIGINT AS start_ms,
        id('device', person, CASE WHEN share('device', person, visit) < 0.12 THEN 1 ELSE 0 END) AS device,
        3 + least(37, floor(-ln(1 - share('steps', person, visit)) * 7.5)::INTEGER) AS steps,
        person % 5 AS platform
    FROM people, range(visits) AS numbers (visit)
)
SELECT
    *,
    person * 16 + visit AS session,
    CASE
        WHEN known < 0.40 THEN 0
        WHEN known < 0.64
            THEN
                min(start_ms) OVER of_person + 120000
                + floor(
                    share('sign in', person, 0) * (max(start_ms) OVER of_person - min(start_ms) OVER of_person)
                )::BIGINT
    END AS known_from_ms
FROM visits
WINDOW of_person AS (PARTITION BY person);

CREATE TABLE steps AS
SELECT *, CASE WHEN event IN ('Product Viewed', 'Product Added') THEN product_shown END AS product
FROM (
    SELECT
        session, person, device, platform, known_from_ms, step,
        start_ms + step * 20000 + hash('pause', session, step) % 19000 AS time_ms,
        CASE
            WHEN step = 0 OR kind < 0.28 THEN 'page'
            WHEN kind < 0.40 THEN 'Product List Viewed'
            WHEN kind < 0.78 THEN 'Product Viewed'
            WHEN kind < 0.90 THEN 'Product Added'
            WHEN kind < 0.93 THEN 'Products Searched'
            WHEN kind < 0.97 THEN 'Cart Viewed'
            ELSE 'Checkout Started'
        END AS event,
        floor(pow(share('product', session, step // 3), 2) * 2000)::INTEGER AS product_shown
    FROM (
        SELECT *, share('kind', session, step) AS kind
        FROM sessions, range(steps) AS numbers (step)
    )
);

-- One visit in eight ends in an order, three in ten of these up to five days later; one in three hundred is sent again
-- under another message id.
CREATE TABLE orders AS
WITH bought AS (
    SELECT
        session, person, device, platform, known_from_ms,
        start_ms + steps * 40000 + 60000
        + CASE
            WHEN share('late', session, 0) < 0.3 THEN floor(share('days', session, 0) * 432000000)::BIGINT ELSE 0
        END AS time_ms,
        1 + hash('lines', session) % 4 AS line_count,
        CASE WHEN person % 20 < 17 THEN 'USD' WHEN person % 20 < 19 THEN 'EUR' ELSE 'GBP' END AS currency,
        CASE WHEN share('discount', session, 0) < 0.1 THEN 5 ELSE 0 END AS discount
    FROM sessions
    WHERE share('buys', session, 0) < 0.125
)
SELECT *, 0 AS attempt, 'o-' || session AS order_id FROM bought
UNION ALL
SELECT * REPLACE (time_ms + 90000 AS time_ms), 1, 'o-' || session FROM bought WHERE share('again', session, 0) < 0.0033;

CREATE TABLE lines AS
SELECT
    orders.*, line,
    coalesce(seen.product, floor(pow(share('chosen', session, line), 2) * 2000)::INTEGER) AS product,
    CAST(1 + hash('quantity', session, line) % 3 AS DECIMAL(19, 3)) AS quantity
FROM orders CROSS JOIN range(line_count::BIGINT) AS numbers (line)
LEFT JOIN (
    SELECT session, product, row_number() OVER (PARTITION BY session ORDER BY step) - 1 AS line
    FROM steps
    WHERE event = 'Product Viewed'
) AS seen USING (session, line);

CREATE TABLE narrow AS
SELECT row_number() OVER () AS number, * REPLACE (CAST(time_ms AS BIGINT) AS time_ms)
FROM (
    SELECT
        event, person, device, platform, known_from_ms, time_ms, product,
        's' || session || '-' || step AS message, NULL::INTEGER AS line_index, NULL::VARCHAR AS order_id,
        NULL::VARCHAR AS currency, NULL::DECIMAL(19, 3) AS quantity, NULL::DECIMAL(18, 6) AS order_revenue,
        NULL::DECIMAL(18, 6) AS refund_amount, NULL::INTEGER AS discount, NULL::INTEGER AS line_count,
        NULL::VARCHAR AS variation
    FROM steps
    UNION ALL
    SELECT
        'Product Purchased', person, device, platform, known_from_ms, time_ms, product,
        'o' || session || '-' || attempt, line, order_id, currency, quantity, NULL, NULL, NULL, NULL, NULL
    FROM lines
    UNION ALL
    SELECT
        'Order Completed', person, device, platform, known_from_ms, time_ms, NULL, 'o' || session || '-' || attempt,
        NULL, order_id, currency, NULL,
        (
            SELECT sum(price_of(product) * quantity)::DECIMAL(18, 6)
            FROM lines WHERE lines.session = orders.session AND lines.attempt = orders.attempt
        ) - discount,
        NULL, discount, line_count, NULL
    FROM orders
    UNION ALL
    -- One order in twenty is given back: in part, wholly, or without an amount; a few that nobody knows.
    SELECT
        CASE WHEN share('cancelled', session, 0) < 0.1 THEN 'Order Cancelled' ELSE 'Order Refunded' END,
        person, device, platform, known_from_ms,
        time_ms + 86400000 + floor(share('back', session, 0) * 1209600000)::BIGINT, NULL, 'r' || session, NULL,
        CASE WHEN share('lost', session, 0) < 0.02 THEN 'x-' || session ELSE order_id END, currency, NULL, NULL,
        CASE WHEN share('part', session, 0) < 0.7 THEN CAST(3 + hash('part', session) % 4000 / 100 AS DECIMAL(18, 6)) END,
        NULL, NULL, NULL
    FROM orders
    WHERE attempt = 0 AND share('returned', session, 0) < 0.05
    UNION ALL
    SELECT
        'Experiment Viewed', person, device, platform, known_from_ms, start_ms + 500, NULL, 'e' || session, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, CASE WHEN hash('variant', person) % 2 = 0 THEN 'control' ELSE 'banner' END
    FROM sessions
    WHERE share('exposed', person, 0) < 0.1 AND start_ms >= $start + $length_ms // 2
)
WHERE time_ms < $start + $length_ms;
DROP TABLE steps;
DROP TABLE lines;
DROP TABLE orders;
