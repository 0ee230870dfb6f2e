from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lake_samples import product_viewed, rows

from connector.events import Flag, Violation
from connector.tables import EVENTS, PROFILES, TABLES
from connector.values.public import public_row
from connector.write.parquet import PartWriter
from connector.write.row_sum import (
    row_encoder,
    row_hash,
    row_sum,
    row_sum_of_file,
)
from connector.write.sink import RowFailed


@pytest.mark.parametrize("table", [EVENTS, PROFILES], ids=lambda table: table.name)
@given(data=st.data())
@settings(deadline=None, max_examples=25)
def test_the_sum_read_back_from_parquet_equals_the_sum_of_what_was_written(table, data):
    some = data.draw(st.lists(rows(table), min_size=1, max_size=4))
    day = {} if table is EVENTS else {"created_at": 1}
    some = [{**row, **day, "timestamp": 1_700_000_000_000} for row in some]

    with tempfile.TemporaryDirectory() as folder:
        writer = PartWriter(Path(folder), TABLES, "f", 0, "t")
        for row in some:
            writer.add(table.name, row)
        (output,) = writer.finish()

        assert output.row_sum == row_sum(row_hash(table, row) for row in some)
        assert output.row_sum == row_sum_of_file(Path(folder) / output.name, table.name)


def test_the_way_a_row_came_in_is_not_in_its_hash():
    live = product_viewed("20261127T100000000Z-web1-1-00000000", 0)

    assert row_hash(EVENTS, live) == row_hash(EVENTS, {**live, "captured_file": "h-2", "captured_index": 9})


def test_any_other_change_changes_the_hash():
    row = product_viewed("f", 0)
    others = [{**row, "price": Decimal("20")}, {**row, "timestamp": 1}, {**row, "sku": ""}]

    assert len({row_hash(EVENTS, other) for other in (row, *others)}) == 4


def test_equal_amounts_hash_equally_whatever_their_digits():
    hashes = {
        row_hash(EVENTS, product_viewed("f", 0, price=Decimal(t))) for t in ("5", "5.0", "5.000000", "5E+0")
    }

    assert len(hashes) == 1


def test_a_row_of_another_table_hashes_otherwise():
    row = {"row_id": "x"}

    assert row_hash(EVENTS, row) != row_hash(PROFILES, row)


def test_the_canonical_form_is_a_list_in_the_order_of_the_columns():
    row = {
        "row_id": "r",
        "sent_at": 0,
        "price": Decimal("19.990000"),
        "event": "Größe",
        "flags": [Flag("price_missing", "properties.price")],
        "captured_file": "f",
    }

    table, _, values = row_encoder(EVENTS)([row.get(name) for name in EVENTS.by_name]).partition(b"[")

    shown = dict(zip(EVENTS.by_name, orjson.loads(b"[" + values), strict=True))
    assert (table, {name: value for name, value in shown.items() if value is not None}) == (
        b'"events"',
        {
            "row_id": "r",
            "event": "Größe",
            "sent_at": 0,
            "price": "19.99",
            "flags": [["price_missing", "properties.price"]],
        },
    )


def test_a_row_without_a_json_form_fails_by_number():
    with pytest.raises(RowFailed, match="event 4"):
        row_hash(EVENTS, product_viewed("f", 4, name="\ud800"))


def test_the_sum_wraps_at_64_bits():
    assert row_sum([2**64 - 1, 2]) == "0000000000000001"


def test_the_public_row_shows_decimals_and_times_as_text_and_notes_as_objects():
    row = product_viewed(
        "f", 0,
        price=Decimal("1E+3"),
        products=[{"sku": "a", "price": Decimal("2.500000"), "brand": None}],
        flags=[Flag("price_missing", "properties.products[0].price")],
        violations=[Violation("/properties/price", "type", "number", "string")],
        context_location_latitude=48.25,
    )  # fmt: skip

    shown = public_row(row, EVENTS)

    assert shown["price"] == "1000"
    assert shown["timestamp"] == "2026-11-27T10:00:00.000Z"
    assert shown["products"] == [{"sku": "a", "price": "2.5"}]
    assert shown["flags"] == [{"code": "price_missing", "path": "properties.products[0].price"}]
    assert shown["violations"] == [
        {"path": "/properties/price", "rule": "type", "expected": "number", "got_type": "string"}
    ]
    assert shown["context_location_latitude"] == 48.25
    assert list(shown) == [name for name in EVENTS.by_name if name in row]


def test_the_public_row_leaves_the_row_as_it_was():
    row = product_viewed("f", 0, flags=[Flag("a", "b")])
    before = dict(row)

    public_row(row, EVENTS)

    assert row == before
