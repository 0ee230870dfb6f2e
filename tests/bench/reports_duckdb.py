"""The questions of ``tests.bench.reports`` in DuckDB's SQL, written by hand over the same files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from tests.bench.reports_ours import CATEGORY, PROMOTION, STEPS, Rows

_VIEWS = """
CREATE TABLE copies AS FROM '{prepared}/copies.parquet';
CREATE TABLE identities AS FROM '{prepared}/identities.parquet';
CREATE VIEW files AS FROM read_parquet('{root}/tables/events/*/*.parquet', hive_partitioning = true);
CREATE VIEW unique_rows AS FROM files ANTI JOIN copies USING (row_id, captured_file, captured_index);
CREATE VIEW e AS
SELECT
    rows_.*, epoch_ms(rows_.timestamp) AS t, CAST(rows_.timestamp AS DATE) AS at_day,
    coalesce(
        nullif(rows_.user_id, ''), i.user_id, '$device:' || nullif(rows_.anonymous_id, ''),
        nullif(rows_.distinct_id, '')
    ) AS uid
FROM unique_rows AS rows_
LEFT JOIN identities AS i
    ON i.anonymous_id = CASE
        WHEN coalesce(rows_.user_id, '') = '' THEN coalesce(nullif(rows_.anonymous_id, ''), rows_.distinct_id)
    END;
CREATE VIEW viewed AS
SELECT uid, category, t, at_day, name, product_id, message_id, line_index, row_id
FROM e WHERE event = 'Product Viewed' AND uid IS NOT NULL AND category IS NOT NULL;
CREATE VIEW bought AS SELECT uid, category, t FROM e WHERE event = 'Product Purchased' AND line_index IS NOT NULL;
CREATE VIEW sales AS
SELECT uid, source, order_id, row_id, t, at_day, currency, order_revenue
FROM e WHERE event = 'Order Completed' AND line_index IS NULL
QUALIFY row_number() OVER (PARTITION BY source, coalesce(order_id, row_id) ORDER BY t, row_id) = 1;
CREATE VIEW refunds AS
SELECT
    uid, t, at_day, currency, source, order_id,
    taken - coalesce(lag(taken) OVER (PARTITION BY source, order_id ORDER BY t, row_id), 0) AS refunded
FROM (
    SELECT
        s.uid, c.t, c.at_day, s.currency, s.source, s.order_id, c.row_id,
        CASE
            WHEN max(c.refund_amount IS NULL OR c.event = 'Order Cancelled') OVER so_far THEN s.order_revenue
            ELSE least(s.order_revenue, sum(c.refund_amount) OVER so_far)
        END AS taken
    FROM (FROM e WHERE event = 'Order Refunded' UNION ALL FROM e WHERE event = 'Order Cancelled') AS c
    JOIN sales AS s USING (source, order_id)
    WINDOW so_far AS (PARTITION BY c.source, c.order_id ORDER BY c.t, c.row_id ROWS UNBOUNDED PRECEDING)
);
CREATE VIEW booked AS
SELECT uid, at_day, t, currency, order_revenue AS gross, 0::DECIMAL(18, 6) AS refunded, 1 AS orders FROM sales
UNION ALL
SELECT uid, at_day, t, currency, 0, refunded, 0 FROM refunds;
"""

_HELD = "b.uid = v.uid AND b.category = v.category AND b.t BETWEEN v.entry - 2000 AND v.entry + 604800000"
_WEEK = "CAST(date_trunc('week', at_day) AS DATE)"
_CHOSEN = f"category = '{CATEGORY}'"
_SIDES = f"at_day >= DATE '{PROMOTION}' - 28 AND at_day < DATE '{PROMOTION}' + 28"
_IS_BEFORE = f"at_day < DATE '{PROMOTION}'"

SQL: Mapping[str, str] = {
    "categories": f"""
        WITH v AS (SELECT uid, category, min(t) AS entry FROM viewed GROUP BY ALL),
        viewers AS (SELECT category, count(*) AS viewers FROM v GROUP BY ALL),
        converted AS (
            SELECT category, count(*) AS converted
            FROM (SELECT DISTINCT v.uid, v.category FROM v JOIN bought AS b ON {_HELD})
            GROUP BY ALL
        ),
        prices AS (
            SELECT
                category, currency, count(*) AS purchases, sum(coalesce(quantity, 1)) AS units,
                sum(price * coalesce(quantity, 1)) AS item_revenue
            FROM unique_rows WHERE event = 'Product Purchased' AND line_index IS NOT NULL GROUP BY ALL
        )
        SELECT category, currency, viewers, coalesce(converted, 0), purchases, units, item_revenue
        FROM viewers LEFT JOIN converted USING (category) LEFT JOIN prices USING (category)
    """,
    "dropped": f"""
        WITH v AS (
            SELECT
                uid, min(t) AS entry, max(t) AS last_view, count(*) AS views,
                arg_max(coalesce(name, product_id), (t, message_id, line_index, row_id)) AS last_product
            FROM viewed WHERE {_CHOSEN} GROUP BY ALL
        ),
        b AS (
            SELECT
                v.uid, bool_or(b.t BETWEEN v.entry - 2000 AND v.entry + 604800000) AS converted,
                min(b.t) FILTER (b.t NOT BETWEEN v.entry - 2000 AND v.entry + 604800000) AS outside
            FROM v JOIN bought AS b ON b.uid = v.uid WHERE b.{_CHOSEN} GROUP BY ALL
        )
        SELECT uid, entry, last_view, views, last_product, outside
        FROM v LEFT JOIN b USING (uid) WHERE NOT coalesce(converted, false)
    """,
    "conversion": f"""
        WITH v AS (SELECT uid, category, {_WEEK} AS week, min(t) AS entry FROM viewed GROUP BY ALL),
        viewers AS (SELECT week, category, count(*) AS viewers FROM v GROUP BY ALL),
        converted AS (
            SELECT week, category, count(*) AS converted
            FROM (SELECT DISTINCT v.uid, v.category, v.week FROM v JOIN bought AS b ON {_HELD})
            GROUP BY ALL
        )
        SELECT week, category, viewers, coalesce(converted, 0)
        FROM viewers LEFT JOIN converted USING (week, category)
    """,
    "arpu": f"""
        WITH money AS (
            SELECT
                {_WEEK} AS week, currency, sum(gross) AS gross, sum(refunded) AS refunds, sum(orders) AS orders,
                count(DISTINCT CASE WHEN orders = 1 THEN uid END) AS buyers
            FROM booked GROUP BY ALL
        ),
        active AS (SELECT {_WEEK} AS week, count(DISTINCT uid) AS active_users FROM e GROUP BY ALL)
        SELECT week, currency, gross, refunds, orders, buyers, active_users FROM active JOIN money USING (week)
    """,
    "engagement": """
        WITH days AS MATERIALIZED (SELECT DISTINCT uid, at_day FROM e WHERE uid IS NOT NULL),
        points AS (SELECT DISTINCT at_day FROM days)
        SELECT
            p.at_day, count(DISTINCT uid) FILTER (d.at_day = p.at_day),
            count(DISTINCT uid) FILTER (d.at_day > p.at_day - 7), count(DISTINCT uid)
        FROM points AS p JOIN days AS d ON d.at_day <= p.at_day AND d.at_day > p.at_day - 30
        GROUP BY ALL
    """,
    "insights": """
        SELECT at_day, count(*), count(DISTINCT uid) FROM e WHERE event = 'Product Viewed' GROUP BY ALL
    """,
    "reconcile": """
        SELECT
            at_day, currency, sum(CASE WHEN line_index IS NULL THEN 1 ELSE 0 END),
            sum(CASE WHEN line_index IS NULL THEN 0 ELSE 1 END), sum(line_revenue), sum(order_revenue),
            sum(CASE WHEN line_index IS NULL THEN discount END)
        FROM (
            SELECT CAST(timestamp AS DATE) AS at_day, currency, line_index, line_revenue, order_revenue, discount
            FROM unique_rows WHERE event = 'Order Completed' AND line_index IS NULL
            UNION ALL
            SELECT CAST(timestamp AS DATE), currency, line_index, line_revenue, order_revenue, discount
            FROM unique_rows WHERE event = 'Product Purchased' AND line_index IS NOT NULL
        )
        GROUP BY ALL
    """,
    "retention": f"""
        WITH births AS (
            SELECT uid, {_WEEK} AS bucket, min(t) AS birth
            FROM e WHERE event = 'Product Viewed' AND uid IS NOT NULL GROUP BY ALL
        ),
        lasts AS (SELECT uid, max(t) AS last FROM e WHERE event = 'Order Completed' GROUP BY ALL)
        SELECT
            bucket, count(*) AS size, k,
            count(*) FILTER (last > birth AND (last - birth) // 604800000 >= k) AS retained
        FROM births LEFT JOIN lasts USING (uid), range(8) AS ks (k)
        GROUP BY ALL
    """,
    "funnel": f"""
        WITH first_step AS (SELECT uid, min(t) AS entry FROM e WHERE event = '{STEPS[0]}' AND uid IS NOT NULL GROUP BY ALL),
        second_step AS (
            SELECT f.uid, entry, min(t) AS second
            FROM first_step AS f
            JOIN (SELECT uid, t FROM e WHERE event = '{STEPS[1]}') AS n
                ON n.uid = f.uid AND t BETWEEN entry - 2000 AND entry + 604800000
            GROUP BY ALL
        ),
        third_step AS (
            SELECT s.uid, entry, min(t) AS third
            FROM second_step AS s
            JOIN (SELECT uid, t FROM e WHERE event = '{STEPS[2]}') AS n
                ON n.uid = s.uid AND t BETWEEN greatest(entry, second) - 2000 AND entry + 604800000
            GROUP BY ALL
        )
        SELECT 1, count(*), NULL FROM first_step
        UNION ALL SELECT 2, count(*), NULL FROM second_step
        UNION ALL SELECT 3, count(*), quantile_cont(greatest(third - entry, 0), 0.5) FROM third_step
    """,
    "experiment": """
        WITH exposed AS MATERIALIZED (
            SELECT uid, min(variation_name) AS variant, min(t) AS since, min(t) + 7776000000 AS until
            FROM e WHERE event = 'Experiment Viewed' AND experiment_name = 'banner' AND uid IS NOT NULL GROUP BY ALL
            HAVING min(variation_name) = max(variation_name)
        ),
        sizes AS (SELECT variant, count(*) AS exposed FROM exposed GROUP BY ALL),
        made AS (
            SELECT variant, currency, order_revenue
            FROM exposed AS x JOIN sales AS s ON s.uid = x.uid AND t BETWEEN since AND until
        ),
        visits AS (
            SELECT variant, t, at_day, lag(t) OVER of_person AS before, lag(at_day) OVER of_person AS day_before
            FROM exposed AS x JOIN (SELECT uid, t, at_day FROM e) AS rows_ ON rows_.uid = x.uid AND t BETWEEN since AND until
            WINDOW of_person AS (PARTITION BY x.uid ORDER BY t)
        ),
        figures AS (
            SELECT variant, 'conversion' AS metric, '' AS currency, count(DISTINCT x.uid) AS figure
            FROM exposed AS x JOIN (SELECT uid, t FROM e WHERE event = 'Order Completed') AS o
                ON o.uid = x.uid AND t BETWEEN since AND until
            GROUP BY ALL
            UNION ALL SELECT variant, 'revenue', currency, sum(order_revenue) FROM made GROUP BY ALL
            UNION ALL SELECT variant, 'orders', '', count(*) FROM made GROUP BY ALL
            UNION ALL
            SELECT variant, 'sessions', '', count(*) FROM visits
            WHERE before IS NULL OR t - before >= 1800000 OR at_day <> day_before GROUP BY ALL
        )
        SELECT variant, metric, currency, exposed, figure FROM figures JOIN sizes USING (variant)
    """,
    "before-after": f"""
        WITH active AS (
            SELECT uid, bool_or(NOT before) AS after
            FROM (SELECT DISTINCT uid, {_IS_BEFORE} AS before FROM e WHERE {_SIDES} AND uid IS NOT NULL)
            GROUP BY ALL HAVING bool_or(before)
        ),
        v AS (
            SELECT uid, category, {_IS_BEFORE} AS before, min(t) AS entry FROM viewed WHERE {_SIDES} GROUP BY ALL
        ),
        seen AS (SELECT uid, bool_or(before) AS b, bool_or(NOT before) AS a FROM v GROUP BY ALL),
        kept AS (
            SELECT v.uid, bool_or(before) AS b, bool_or(NOT before) AS a FROM v JOIN bought AS b ON {_HELD} GROUP BY ALL
        ),
        paid AS (
            SELECT uid, currency, {_IS_BEFORE} AS before, sum(gross - refunded) AS net, sum(orders) AS orders
            FROM booked JOIN active USING (uid) WHERE {_SIDES} GROUP BY ALL
        ),
        ordered AS (
            SELECT uid, sum(orders) FILTER (before) AS b, sum(orders) FILTER (NOT before) AS a FROM paid GROUP BY ALL
        ),
        people AS (
            SELECT
                count(*) AS n, count(*) FILTER (after) AS after, count(*) FILTER (seen.b) AS seen_b,
                count(*) FILTER (seen.a) AS seen_a, count(*) FILTER (kept.b) AS kept_b,
                count(*) FILTER (kept.a) AS kept_a, count(*) FILTER (ordered.b > 0) AS buyers_b,
                count(*) FILTER (ordered.a > 0) AS buyers_a, sum(ordered.b) AS orders_b, sum(ordered.a) AS orders_a
            FROM active LEFT JOIN seen USING (uid) LEFT JOIN kept USING (uid) LEFT JOIN ordered USING (uid)
        ),
        money AS (
            SELECT currency, sum(net) FILTER (before) AS b, sum(net) FILTER (NOT before) AS a FROM paid GROUP BY ALL
        )
        SELECT 'viewers', '', seen_b, seen_a FROM people
        UNION ALL SELECT 'conversion', '', kept_b / seen_b, kept_a / seen_a FROM people
        UNION ALL SELECT 'buyers_share', '', buyers_b / n, buyers_a / n FROM people
        UNION ALL SELECT 'orders_per_person', '', orders_b / n, orders_a / n FROM people
        UNION ALL SELECT 'revenue_per_person', currency, b / n, a / n FROM people, money
        UNION ALL SELECT 'arpu', currency, b / n, a / after FROM people, money
    """,
}


def rival(root: Path, prepared: Path, name: str) -> Callable[[], Rows]:
    """Ask a question of two threads; what is prepared lies in memory."""
    lake = duckdb.connect()
    lake.execute("SET TimeZone = 'UTC'; SET threads = 2; SET preserve_insertion_order = false")
    lake.execute(_VIEWS.format(root=root, prepared=prepared))

    def ask() -> Rows:
        found: list[tuple[Any, ...]] = lake.execute(SQL[name]).fetchall()
        return found

    return ask
