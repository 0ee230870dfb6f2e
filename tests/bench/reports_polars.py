"""The main questions of ``tests.bench.reports`` in Polars, written by hand over the same files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "2")

import polars as pl

from tests.bench.reports_ours import CATEGORY, Rows

_WINDOW_MS = 604_800_000
_IDS = ("row_id", "captured_file", "captured_index", "user_id", "anonymous_id", "distinct_id")


class _Files:
    """The rows of the files with their person; what is prepared lies in memory."""

    def __init__(self, root: Path, prepared: Path) -> None:
        self._files = pl.scan_parquet(f"{root}/tables/events/*/*.parquet", hive_partitioning=True)
        self._copies = pl.read_parquet(prepared / "copies.parquet").lazy()
        self._linked = (
            pl.read_parquet(prepared / "identities.parquet").lazy().select("anonymous_id", linked="user_id")
        )

    def unique(self, event: str | None, *columns: str) -> pl.LazyFrame:
        rows = self._files if event is None else self._files.filter(pl.col("event") == event)
        wanted = rows.select(*dict.fromkeys((*_IDS, "timestamp", *columns)))
        return wanted.join(self._copies, on=["row_id", "captured_file", "captured_index"], how="anti")

    def people(self, event: str | None, *columns: str) -> pl.LazyFrame:
        """``uid``, ``t`` (ms) and ``week`` beside the columns."""
        user, device = (_filled(name) for name in ("user_id", "anonymous_id"))
        looked_up = pl.when(user.is_null()).then(pl.coalesce(device, "distinct_id"))
        return (
            self.unique(event, *columns)
            .with_columns(device=looked_up)
            .join(self._linked, left_on="device", right_on="anonymous_id", how="left")
            .select(
                *columns,
                uid=pl.coalesce(user, "linked", pl.lit("$device:") + device, _filled("distinct_id")),
                t=pl.col("timestamp").dt.epoch("ms"),
                week=pl.col("timestamp").dt.truncate("1w").dt.date(),
            )
        )

    def viewed(self, *columns: str) -> pl.LazyFrame:
        rows = self.people("Product Viewed", "category", *columns)
        return rows.filter(pl.col("category").is_not_null(), pl.col("uid").is_not_null())

    def bought(self) -> pl.LazyFrame:
        lines = self.people("Product Purchased", "category", "line_index")
        return lines.filter(pl.col("line_index").is_not_null()).select("uid", "category", bought="t")


def _filled(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != "").then(pl.col(name))


def _in_time() -> pl.Expr:
    return pl.col("bought").is_between(pl.col("entry") - 2_000, pl.col("entry") + _WINDOW_MS)


def _held(files: _Files, *period: str) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Viewers, and converted, per period and category."""
    groups = [*period, "category"]
    entries = files.viewed().group_by("uid", *groups).agg(entry=pl.col("t").min())
    converted = entries.join(files.bought(), on=["uid", "category"]).filter(_in_time()).select("uid", *groups)
    return (
        entries.group_by(groups).agg(viewers=pl.len()),
        converted.unique().group_by(groups).agg(converted=pl.len()),
    )


def _categories(files: _Files) -> Rows:
    viewers, converted = _held(files)
    units = pl.col("quantity").fill_null(1)
    prices = (
        files.unique("Product Purchased", "category", "currency", "price", "quantity", "line_index")
        .filter(pl.col("line_index").is_not_null())
        .group_by("category", "currency")
        .agg(purchases=pl.len(), units=units.sum(), item_revenue=(pl.col("price") * units).sum())
    )
    whole = viewers.join(converted, on="category", how="left").join(prices, on="category", how="left")
    return _rows(whole, "category", "currency", "viewers", "converted", "purchases", "units", "item_revenue")


def _conversion(files: _Files) -> Rows:
    viewers, converted = _held(files, "week")
    whole = viewers.join(converted, on=["week", "category"], how="left").fill_null(0)
    return _rows(whole, "week", "category", "viewers", "converted")


def _dropped(files: _Files) -> Rows:
    chosen = pl.col("category") == CATEGORY
    order = ["t", "message_id", "line_index", "row_id"]
    views = files.viewed("name", "product_id", "message_id", "line_index", "row_id").filter(chosen)
    people = views.group_by("uid").agg(
        entry=pl.col("t").min(),
        last_view=pl.col("t").max(),
        views=pl.len(),
        last_product=pl.coalesce("name", "product_id").sort_by(order, nulls_last=True).last(),
    )
    bought = (
        people.select("uid", "entry")
        .join(files.bought().filter(chosen), on="uid")
        .group_by("uid")
        .agg(converted=_in_time().any(), outside=pl.col("bought").filter(~_in_time()).min())
    )
    whole = people.join(bought, on="uid", how="left").filter(~pl.col("converted").fill_null(False))
    return _rows(whole, "uid", "entry", "last_view", "views", "last_product", "outside")


def _arpu(files: _Files) -> Rows:
    sales = (
        files.people(
            "Order Completed", "source", "order_id", "row_id", "line_index", "currency", "order_revenue"
        )
        .filter(pl.col("line_index").is_null())
        .sort("t", "row_id")
        .unique(["source", "order_id"], keep="first", maintain_order=True)
    )
    sold = sales.group_by("week", "currency").agg(
        gross=pl.col("order_revenue").sum(), orders=pl.len(), buyers=pl.col("uid").n_unique()
    )
    refunds = _refunds(files, sales).group_by("week", "currency").agg(refunds=pl.col("refunded").sum())
    active = files.people(None).group_by("week").agg(active_users=pl.col("uid").drop_nulls().n_unique())
    whole = sold.join(refunds, on=["week", "currency"], how="full", coalesce=True).join(active, on="week")
    return _rows(
        whole.with_columns(pl.col("gross", "refunds", "orders", "buyers").fill_null(0)),
        "week", "currency", "gross", "refunds", "orders", "buyers", "active_users",
    )  # fmt: skip


def _refunds(files: _Files, sales: pl.LazyFrame) -> pl.LazyFrame:
    """What each refund of a known order takes: never more than is left of it."""
    columns = ("source", "order_id", "row_id", "event", "refund_amount")
    claims = pl.concat([files.people(event, *columns) for event in ("Order Refunded", "Order Cancelled")])
    order = ["source", "order_id"]
    takes_rest = (pl.col("event") == "Order Cancelled") | pl.col("refund_amount").is_null()
    so_far = pl.min_horizontal("order_revenue", pl.col("refund_amount").fill_null(0).cum_sum().over(order))
    taken = pl.when(takes_rest.cum_max().over(order)).then(pl.col("order_revenue")).otherwise(so_far)
    return (
        claims.select("source", "order_id", "row_id", "event", "refund_amount", "t", "week")
        .join(sales.select(*order, "currency", "order_revenue"), on=order)
        .sort("t", "row_id")
        .with_columns(taken=taken)
        .with_columns(refunded=pl.col("taken") - pl.col("taken").shift(1).over(order).fill_null(0))
    )


def _rows(whole: pl.LazyFrame, *columns: str) -> Rows:
    return whole.select(*columns).collect(engine="streaming").rows()


QUERIES: Mapping[str, Callable[[_Files], Rows]] = {
    "categories": _categories, "dropped": _dropped, "conversion": _conversion, "arpu": _arpu,
}  # fmt: skip


def rival(root: Path, prepared: Path, name: str) -> Callable[[], Rows]:
    """Ask a question of two threads."""
    files = _Files(root, prepared)
    return lambda: QUERIES[name](files)
