"""What the views say, by running them: Athena's text too, read back into DuckDB's dialect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.lake.event_views import event_view_names, event_views
from connector.lake.views import first_of_each
from connector.schemas import read_schemas
from connector.tables import EVENTS, SPEC_PROPERTIES, TABLES, Column
from tests.infra.views_sql import shown, whole
from tests.report.messy import stores
from tests.report.stores import at, lake, row

DAYS = ("2026-03-01", "2026-03-02", "2026-03-09")


@cache
def _as_athena(name: str) -> str:
    """The text for Athena, read back."""
    (text,) = sqlglot.transpile(whole(name, "athena"), read="athena", write="duckdb")
    return text


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found = connection.execute(query)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, values, strict=True)) for values in found.fetchall()]


_copies = st.fixed_dictionaries({
    "row_id": st.sampled_from(("one", "two")),
    "time_ms": st.sampled_from(DAYS).map(lambda day: at(f"{day} 10:00")),
    "event": st.sampled_from(("Product Viewed", "Product Clicked")),
    "received_ms": st.sampled_from((None, 1, 2)),
    "captured_file": st.sampled_from(("a", "b")),
    "captured_index": st.integers(0, 1),
})  # fmt: skip


@st.composite
def _copied(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows of few ids; some stand twice, as they do between a compaction and the end of its grace."""
    by_capture = {(each["row_id"], each["captured_file"], each["captured_index"]): each
                  for each in draw(st.lists(_copies, max_size=8))}  # fmt: skip
    rows = [row(each.pop("event"), each.pop("time_ms"), **each)
            for each in (dict(one) for one in by_capture.values())]  # fmt: skip
    twice = draw(st.lists(st.sampled_from(rows), max_size=3)) if rows else []
    return draw(st.permutations([*rows, *twice]))


@settings(max_examples=25, deadline=None)
@given(_copied())
def test_of_copies_the_first_received_is_the_row_whatever_days_and_events_they_have(rows: list[dict]):
    columns = "row_id, day, event, received_at, captured_file, captured_index"
    with lake(rows) as connection:
        for asked in ("", f" WHERE day = '{DAYS[1]}'", " WHERE event = 'Product Viewed'"):
            first, found = (
                _rows(connection, f"SELECT {columns} FROM ({view}){asked} ORDER BY ALL")
                for view in (first_of_each(EVENTS), _as_athena("events"))
            )
            assert found == first


@settings(max_examples=8, deadline=None)
@given(stores())
def test_views_of_a_messy_store_are_the_local_ones(store: dict[str, list[dict]]):
    folder = Path(__file__).parents[2] / "connector" / "lake"
    with lake(**store) as connection:
        for table in TABLES[:2]:
            connection.execute(f"CREATE VIEW {table.name} AS {first_of_each(table)}")
        for name in ("events", "profiles"):
            local, athena = f"FROM {name} ORDER BY row_id", f"FROM ({_as_athena(name)}) ORDER BY row_id"
            assert _rows(connection, athena) == _rows(connection, local)
        for name in ("orders", "order_lines"):
            local = (folder / f"{name}.sql").read_text(encoding="utf-8")
            assert _rows(connection, f"FROM ({_as_athena(name)}) ORDER BY ALL") == _rows(
                connection, f"FROM ({local}) ORDER BY ALL"
            )


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """``events_raw`` over one file a day, as Athena has it over folders."""
    rows = [row("Product Viewed", f"{day} 10:00", properties="{}") for day in DAYS]
    with lake(rows) as connection:
        connection.execute(f"COPY events_raw TO '{tmp_path}' (FORMAT parquet, PARTITION_BY (day))")
        connection.execute(
            "DROP TABLE events_raw; CREATE VIEW events_raw AS FROM "
            f"read_parquet('{tmp_path}/*/*.parquet', hive_partitioning = true, hive_types = {{'day': DATE}})"
        )
        yield connection


def _files_read(connection: duckdb.DuckDBPyConnection, query: str) -> set[tuple[bool, str]]:
    """(whether a scan takes ``properties``, how many of the files it opens) of each scan."""
    waiting = json.loads(connection.execute(f"EXPLAIN (FORMAT json) {query}").fetchall()[0][1])
    found = set()
    while waiting:
        node = waiting.pop()
        waiting += node["children"]
        if node["extra_info"].get("Function") == "READ_PARQUET":
            files = node["extra_info"].get("Scanning Files", "all")
            found.add(("properties" in node["extra_info"]["Projections"], files))
    return found


def test_a_filter_on_day_reaches_the_files_and_other_days_give_their_row_ids_alone(on_disk):
    of_a_day = f"SELECT day, properties FROM ({_as_athena('events')}) WHERE day = '{DAYS[1]}'"

    assert _files_read(on_disk, of_a_day) == {(True, "1/3"), (False, "all")}
    assert on_disk.execute(of_a_day).fetchone()[1] == "{}"


def test_a_window_over_row_ids_alone_would_read_all_of_every_day(on_disk):
    of_a_day = f"SELECT day, properties FROM ({first_of_each(EVENTS)}) WHERE day = '{DAYS[1]}'"

    assert _files_read(on_disk, of_a_day) == {(True, "all")}


def _order(number: str, time: str, revenue: float | None, **more: Any) -> dict[str, Any]:
    money = {"order_revenue": revenue, "currency": "EUR"} if revenue is not None else {}
    return row("Order Completed", time, "ann", order_id=number, **money, **more)


def test_an_order_is_its_first_sale_less_what_was_given_back_at_most_all_of_it():
    first = _order("o-1", "2026-03-01 10:00", 100.0)
    rows = [
        first,
        {**first, "received_ms": first["received_ms"] + 5, "captured_file": "late"},
        _order("o-1", "2026-03-02 10:00", 999.0),
        row("Order Refunded", "2026-03-03 10:00", order_id="o-1", refund_amount=30.5),
        _order("o-2", "2026-03-01 11:00", 40.0),
        row("Order Refunded", "2026-03-03 11:00", order_id="o-2", refund_amount=25.0),
        row("Order Refunded", "2026-03-04 11:00", order_id="o-2", refund_amount=25.0),
        _order("o-3", "2026-03-01 12:00", 12.0),
        row("Order Cancelled", "2026-03-01 13:00", order_id="o-3", refund_amount=1.0),
        _order("o-4", "2026-03-01 14:00", 7.25),
        row("Order Refunded", "2026-03-05 11:00", order_id="unknown", refund_amount=25.0),
    ]  # fmt: skip

    with lake(rows) as connection:
        found = {each["order_id"]: each for each in _rows(connection, _as_athena("orders"))}

    money = {number: (each["gross"], each["refunded"]) for number, each in found.items()}
    assert money == {
        "o-1": (Decimal(100), Decimal("30.5")),
        "o-2": (Decimal(40), Decimal(40)),
        "o-3": (Decimal(12), Decimal(12)),
        "o-4": (Decimal("7.25"), Decimal(0)),
    }


def test_lines_are_in_order_lines_and_in_no_view_of_an_event():
    line = {"order_id": "o-1", "price": 3.5, "quantity": Decimal(2), "line_revenue": 7.0}
    rows = [
        _order("o-1", "2026-03-01 10:00", 7.0, line_count=1),
        row("Product Purchased", "2026-03-01 10:00", "ann", line_index=0, **line),
        row("Product Purchased", "2026-03-01 10:00", "ann", line_index=None),
    ]

    with lake(rows) as connection:
        (found,) = _rows(connection, _as_athena("order_lines"))
        (order,) = _rows(connection, _as_athena("order_completed"))

    assert (found["order_id"], found["line_revenue"], found["line_index"]) == ("o-1", Decimal(7), 0)
    assert (order["order_revenue"], order["line_count"]) == (Decimal(7), 1)
    assert "product_purchased" not in shown()


def test_a_person_is_one_before_and_after_signing_in_with_the_last_traits():
    events = [
        row("Product Viewed", "2026-03-01 10:00", None, "phone"),
        row("Product Viewed", "2026-03-02 10:00", "ann", "phone"),
        row("Product Viewed", "2026-03-02 11:00", None, "tablet"),
    ]
    profiles = [
        row("", "2026-03-02 10:01", "ann", "phone", type="identify", email="old@example.com", name="Ann",
            traits='{"email":"old@example.com","name":"Ann"}'),
        row("", "2026-03-03 10:01", "ann", "laptop", type="identify", email="ann@example.com",
            traits='{"email":"ann@example.com","name":null}'),
    ]  # fmt: skip

    with lake(events, profiles) as connection:
        devices = _rows(connection, whole("identities", "duckdb") + " ORDER BY anonymous_id")
        people = {each["uid"]: each for each in _rows(connection, whole("people", "duckdb"))}

    assert [(each["anonymous_id"], each["user_id"], each["linked_at_ms"]) for each in devices] == [
        ("laptop", "ann", at("2026-03-03 10:01")),
        ("phone", "ann", at("2026-03-02 10:00")),
    ]
    assert set(people) == {"ann", "$device:tablet"}
    ann = people["ann"]
    assert (ann["email"], ann["name"], ann["events"]) == ("ann@example.com", None, 2)
    assert ann["first_seen_ms"] == at("2026-03-01 10:00")


def test_each_event_of_the_spec_has_a_view_named_as_its_table_in_segment_data_lakes():
    views = event_views(read_schemas())

    assert len(views) == 28
    assert set(views) == event_view_names()
    assert views["wishlist_product_added_to_cart"].event == "Wishlist Product Added to Cart"
    assert set(shown()) >= set(views)


def test_a_view_of_an_event_has_the_columns_it_can_fill():
    views = event_views(read_schemas())
    always = {"row_id", "user_id", "anonymous_id", "timestamp", "received_at", "context_page_url", "context",
              "properties", "flags", "day"}  # fmt: skip

    for view in views.values():
        assert always <= set(view.columns)
        assert not {"line_index", "line_revenue", "page_name", "page_category"} & set(view.columns)
    of = {name: {c for c in view.columns if not c.startswith("context_")} for name, view in views.items()}
    assert {"price", "product_id", "value", "categories", "position_text"} <= of["product_viewed"]
    assert not {"order_id", "order_revenue", "refund_amount", "products"} & of["product_viewed"]
    assert {"order_id", "order_revenue", "line_count", "products"} <= of["order_completed"]
    assert {name for name, columns in of.items() if "refund_amount" in columns} == {
        "order_refunded", "order_cancelled",
    }  # fmt: skip
    assert {name for name, columns in of.items() if "order_revenue" in columns} == {"order_completed"}


def test_no_property_of_the_spec_is_in_no_view():
    columns = {column for view in event_views(read_schemas()).values() for column in view.columns}

    assert {column.name for column in SPEC_PROPERTIES} <= columns


def test_a_view_of_an_event_has_the_columns_that_a_user_promoted():
    events = EVENTS.with_columns([Column("colour", "S", "", ("properties.colour",))])

    assert "colour" in event_views(read_schemas(), events)["cart_viewed"].columns
