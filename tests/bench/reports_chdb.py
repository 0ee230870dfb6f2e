"""The main questions of ``tests.bench.reports`` in chdb (ClickHouse's SQL), written by hand over the same files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.bench.reports_ours import CATEGORY, Rows

_TABLES = (
    "CREATE DATABASE IF NOT EXISTS b ENGINE = Atomic",
    """
    CREATE TABLE IF NOT EXISTS b.copies ENGINE = Memory AS
    SELECT
        assumeNotNull(row_id) AS row_id, assumeNotNull(captured_file) AS captured_file,
        assumeNotNull(captured_index) AS captured_index
    FROM file('{prepared}/copies.parquet', Parquet)
    """,
    """
    CREATE TABLE IF NOT EXISTS b.identities ENGINE = Memory AS
    SELECT assumeNotNull(anonymous_id) AS device, assumeNotNull(user_id) AS linked
    FROM file('{prepared}/identities.parquet', Parquet)
    """,
)
_SETTINGS = "SETTINGS max_threads = 2, join_use_nulls = 1, session_timezone = 'UTC'"
_IN_TIME = "bought.t >= v.entry - 2000 AND bought.t <= v.entry + 604800000"


def rival(root: Path, prepared: Path, name: str) -> Callable[[], Rows]:
    """Ask a question of two threads; what is prepared lies in memory."""
    from chdb.session import Session

    session = Session()
    for statement in _TABLES:
        session.query(statement.format(prepared=prepared))
    text = SQL[name].replace("FILES", f"file('{root}/tables/events/*/*.parquet', Parquet)")

    def ask() -> Rows:
        found = session.query(f"{text} {_SETTINGS}", "ArrowTable")
        return [tuple(row.values()) for row in found.to_pylist()]

    return ask


def _unique(event: str | None, columns: str) -> str:
    wanted = "" if event is None else f" AND event = '{event}'"
    return f"""
        SELECT {columns} FROM FILES
        WHERE (row_id, assumeNotNull(captured_file), assumeNotNull(captured_index)) NOT IN b.copies{wanted}
    """


def _people(event: str | None, *columns: str) -> str:
    """``uid``, ``t`` (ms) and ``week`` beside the columns."""
    more = "".join(f", {name}" for name in columns)
    ids = f"""
        user_id, anonymous_id, distinct_id, timestamp{more},
        if(coalesce(user_id, '') = '', coalesce(nullIf(anonymous_id, ''), distinct_id), NULL) AS looked_up
    """
    return f"""(
        SELECT
            coalesce(
                nullIf(user_id, ''), i.linked, concat('$device:', nullIf(anonymous_id, '')), nullIf(distinct_id, '')
            ) AS uid,
            toUnixTimestamp64Milli(assumeNotNull(timestamp)) AS t, toMonday(assumeNotNull(timestamp)) AS week{more}
        FROM ({_unique(event, ids)}) AS r
        LEFT JOIN b.identities AS i ON i.device = r.looked_up
    )"""


_BOUGHT = (
    "(SELECT uid, category, t FROM "
    f"{_people('Product Purchased', 'category', 'line_index')} WHERE line_index IS NOT NULL)"
)


def _held(*period: str) -> tuple[str, str]:
    """Viewers, and converted, per period and category."""
    groups = ", ".join((*period, "category"))
    entries = f"""
        SELECT uid, {groups}, min(t) AS entry FROM {_people("Product Viewed", "category")}
        WHERE uid IS NOT NULL AND category IS NOT NULL GROUP BY uid, {groups}
    """
    of_v = ", ".join(f"v.{name} AS {name}" for name in (*period, "category"))
    return (
        f"(SELECT {groups}, count() AS viewers FROM ({entries}) GROUP BY {groups})",
        f"""(
            SELECT {groups}, count() AS converted
            FROM (
                SELECT DISTINCT v.uid AS uid, {of_v}
                FROM ({entries}) AS v
                JOIN {_BOUGHT} AS bought ON bought.uid = v.uid AND bought.category = v.category
                WHERE {_IN_TIME}
            )
            GROUP BY {groups}
        )""",
    )


def _categories() -> str:
    viewers, converted = _held()
    wanted = "category, currency, price, quantity, line_index"
    return f"""
        SELECT w.category, currency, viewers, coalesce(converted, 0), purchases, units, item_revenue
        FROM {viewers} AS w
        LEFT JOIN {converted} AS c ON c.category = w.category
        LEFT JOIN (
            SELECT
                category, currency, count() AS purchases, sum(coalesce(quantity, 1)) AS units,
                sum(toDecimal128(price, 6) * toDecimal128(coalesce(quantity, 1), 3)) AS item_revenue
            FROM ({_unique("Product Purchased", wanted)})
            WHERE line_index IS NOT NULL GROUP BY category, currency
        ) AS p ON p.category = w.category
    """


def _conversion() -> str:
    viewers, converted = _held("week")
    return f"""
        SELECT w.week, w.category, viewers, coalesce(converted, 0)
        FROM {viewers} AS w LEFT JOIN {converted} AS c ON c.week = w.week AND c.category = w.category
    """


def _dropped() -> str:
    columns = ("category", "name", "product_id", "message_id", "line_index", "row_id")
    entries = f"""
        SELECT
            uid, min(t) AS entry, max(t) AS last_view, count() AS views,
            argMax(coalesce(name, product_id), (t, message_id, row_id)) AS last_product
        FROM {_people("Product Viewed", *columns)}
        WHERE uid IS NOT NULL AND category = '{CATEGORY}' GROUP BY uid
    """
    return f"""
        SELECT uid, entry, last_view, views, last_product, outside
        FROM ({entries}) AS w
        LEFT JOIN (
            SELECT v.uid AS uid, max({_IN_TIME}) AS converted, minIf(toNullable(bought.t), NOT ({_IN_TIME})) AS outside
            FROM ({entries}) AS v
            JOIN (SELECT uid, t FROM {_BOUGHT} WHERE category = '{CATEGORY}') AS bought ON bought.uid = v.uid
            GROUP BY v.uid
        ) AS b ON b.uid = w.uid
        WHERE coalesce(converted, 0) = 0
    """


def _arpu() -> str:
    sale = ("source", "order_id", "row_id", "line_index", "currency", "order_revenue")
    claim = ("source", "order_id", "row_id", "refund_amount")
    sales = f"""
        SELECT
            source, order_id, argMin(uid, (t, row_id)) AS uid, argMin(week, (t, row_id)) AS week,
            argMin(currency, (t, row_id)) AS currency, argMin(order_revenue, (t, row_id)) AS gross
        FROM {_people("Order Completed", *sale)} WHERE line_index IS NULL GROUP BY source, order_id
    """
    claims = " UNION ALL ".join(
        f"SELECT source, order_id, row_id, t, week, refund_amount, {rest} AS takes_rest FROM {_people(event, *claim)}"
        for event, rest in (("Order Refunded", "refund_amount IS NULL"), ("Order Cancelled", "true"))
    )
    so_far = "OVER (PARTITION BY source, order_id ORDER BY t, row_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    taken = f"""
        SELECT
            source, order_id, row_id, t, week, currency,
            if(max(takes_rest) {so_far}, gross, least(gross, sum(coalesce(refund_amount, 0)) {so_far})) AS taken
        FROM (
            SELECT c.*, s.currency AS currency, s.gross AS gross FROM ({claims}) AS c
            JOIN ({sales}) AS s ON s.source = c.source AND s.order_id = c.order_id
        )
    """
    refunds = f"""
        SELECT week, currency, sum(taken - before) AS refunds
        FROM (
            SELECT week, currency, taken, lagInFrame(taken, 1, toDecimal64(0, 6)) {so_far} AS before FROM ({taken})
        )
        GROUP BY week, currency
    """
    return f"""
        SELECT m.week, m.currency, gross, coalesce(refunds, 0), orders, buyers, active_users
        FROM (
            SELECT week, currency, sum(gross) AS gross, count() AS orders, uniqExact(uid) AS buyers
            FROM ({sales}) GROUP BY week, currency
        ) AS m
        LEFT JOIN ({refunds}) AS r ON r.week = m.week AND r.currency = m.currency
        JOIN (SELECT week, uniqExact(uid) AS active_users FROM {_people(None)} GROUP BY week) AS a ON a.week = m.week
    """


SQL: Mapping[str, str] = {
    "categories": _categories(), "dropped": _dropped(), "conversion": _conversion(), "arpu": _arpu(),
}  # fmt: skip
