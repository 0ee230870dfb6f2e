"""Laws of the pipeline for any JSON: one fate, nothing raised, typed rows, the same outcome every time."""

from __future__ import annotations

import copy
import json
import math
import random
from decimal import Context, Decimal
from typing import Any

import pytest
from event_strategies import ANYTHING, BY_NAME, EVENTS, EXAMPLES, LAKE, PIPELINE, captured, fresh_pipeline
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.actions.destination import Destination, Destinations
from connector.cases import public_outcome
from connector.events import FATES, Captured, Flag, Outcome, Row
from connector.pipeline import Pipeline
from connector.schemas import read_schemas
from connector.tables import FLAGS, PRODUCT_FIELDS, REJECTED_REASONS
from connector.validate import compile_schemas
from connector.wiring import read_document, shipped_mapping
from connector.write.arrow import rows_to_batch

LAW = settings(deadline=None, max_examples=100)
WIDE = Context(prec=60)
CAPTURES = st.builds(
    captured,
    ANYTHING,
    received_at_ms=st.none() | st.integers(0, 4_102_444_800_000),
    proven=st.sampled_from(["all", "first", "none"]),
    route=st.sampled_from(["webhook", "file", "batch", "track", "identify"]),
    repaired=st.booleans(),
)


@LAW
@given(CAPTURES)
def test_every_event_has_exactly_one_fate_and_it_is_never_our_fault(capture: Captured) -> None:
    outcome = PIPELINE(capture)

    assert outcome.fate in FATES
    assert bool(outcome.rows) == (outcome.fate == "stored")
    assert (outcome.rejected is not None) == (outcome.fate == "rejected")
    if outcome.rejected is not None:
        assert outcome.rejected.code in REJECTED_REASONS
        assert outcome.rejected.code != "row_failed", outcome.rejected


@pytest.mark.parametrize("reason", ["not_json", "truncated", "too_large", "too_deep", "journal_corrupt"])
def test_a_record_that_could_not_be_read_is_rejected_for_that_reason(reason: str) -> None:
    outcome = PIPELINE(captured(None, error=reason))

    assert (outcome.fate, outcome.rejected and outcome.rejected.code) == ("rejected", reason)


def test_a_defect_of_ours_is_a_rejection_that_tells_no_value() -> None:
    class Broken(Destination):
        def rows(self, call: Any) -> Any:
            raise ValueError(call.event["userId"])

    class AllBroken(Destinations):
        def of(self, source: str) -> Destination:
            return Broken(read_document(shipped_mapping()), LAKE)

    pipeline = Pipeline(
        AllBroken(read_document(shipped_mapping()), LAKE),
        compile_schemas(read_schemas()),
        "ecommerce@00000000",
    )

    outcome = pipeline(captured({"type": "track", "event": "A", "userId": "usr_secret", "messageId": "m"}))

    assert outcome.rejected is not None
    assert (outcome.fate, outcome.rejected.code) == ("rejected", "row_failed")
    assert (outcome.rejected.type, outcome.rejected.event, outcome.rejected.message_id) == ("track", "A", "m")
    assert "usr_secret" not in repr(outcome)


def test_a_schema_whose_policy_is_reject_rejects() -> None:
    documents = {
        "refund.json": {"title": "Order Refunded", "properties": {"properties": {"required": ["order_id"]}},
                        "x-policy": "reject"}
    }  # fmt: skip
    pipeline = Pipeline(Destinations(read_document(shipped_mapping()), LAKE), compile_schemas(documents), "m")

    outcome = pipeline(captured({"type": "track", "event": "order_refunded", "properties": {}}))

    assert outcome.rejected is not None
    assert outcome.rejected.code == "schema_violation"
    assert [violation.path for violation in outcome.rejected.violations] == ["/properties/order_id"]


PYTHON: dict[str, Any] = {
    "S": str, "J": str, "T": int, "M": Decimal, "Q": Decimal, "I": int, "L": int, "D": float, "B": bool,
}  # fmt: skip
LIMITS: dict[str, Any] = {"M": 10**12, "Q": 10**9, "I": 2**31, "L": 2**63, "T": 253_402_300_800_000}
SCALES = {"M": -6, "Q": -3}


def check_value(code: str, value: Any) -> None:
    assert type(value) is PYTHON[code]
    if code in LIMITS:
        assert -LIMITS[code] <= value < LIMITS[code]
    if code in SCALES:
        assert value.as_tuple().exponent == SCALES[code]
    if code == "D":
        assert math.isfinite(value)
    if type(value) is str:
        value.encode()
        assert "\0" not in value
    if code == "J":
        assert type(json.loads(value, parse_constant=pytest.fail)) is dict


def check_row(row: Row) -> None:
    table = BY_NAME[row.table]
    assert row.columns.keys() <= table.by_name.keys()
    required = {column.name for column in table.columns if not column.nullable}
    assert required - {"captured_file", "captured_index"} <= row.columns.keys()
    for name, value in row.columns.items():
        code = table.by_name[name].code
        if code in PYTHON:
            check_value(code, value)
        elif code == "LS":
            assert all(type(text) is str and text for text in value)
        elif code == "P":
            fields = dict(PRODUCT_FIELDS)
            for field, inner in (pair for product in value for pair in (product or {}).items()):
                check_value(fields[field], inner)
        else:
            assert type(value) is list
    assert all(type(flag) is Flag and flag.code in FLAGS for flag in row.columns["flags"])
    assert len(set(row.columns["flags"])) == len(row.columns["flags"])


@LAW
@given(CAPTURES)
def test_rows_hold_declared_columns_of_the_declared_types(capture: Captured) -> None:
    for row in PIPELINE(capture).rows:
        check_row(row)


@LAW
@given(EVENTS)
def test_every_row_becomes_arrow_and_json(event: Any) -> None:
    outcome = PIPELINE(captured(event))

    for row in outcome.rows:
        columns = {**row.columns, "captured_file": "h-0", "captured_index": 0}
        assert rows_to_batch(BY_NAME[row.table], [columns]).num_rows == 1
    json.dumps(public_outcome(outcome, BY_NAME), allow_nan=False).encode()


@LAW
@given(ANYTHING)
def test_the_event_is_never_modified(event: Any) -> None:
    before = repr(event)

    PIPELINE(captured(event))

    assert repr(event) == before


@LAW
@given(ANYTHING)
def test_the_same_event_twice_has_the_same_outcome(event: Any) -> None:
    assert repr(PIPELINE(captured(event))) == repr(PIPELINE(captured(copy.deepcopy(event))))


def test_one_by_one_is_the_same_as_in_any_order_and_with_a_fresh_pipeline() -> None:
    outcomes = {index: repr(PIPELINE(captured(event))) for index, event in enumerate(EXAMPLES)}
    order = list(outcomes)
    random.Random(7).shuffle(order)
    fresh = fresh_pipeline()

    assert {index: repr(fresh(captured(EXAMPLES[index]))) for index in order} == outcomes


@LAW
@given(st.lists(EVENTS, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_neighbours_do_not_matter(events: list[Any], shuffled: random.Random) -> None:
    alone = [public(PIPELINE(captured(event))) for event in events]
    order = list(range(len(events)))
    shuffled.shuffle(order)

    assert {index: public(PIPELINE(captured(events[index]))) for index in order} == dict(enumerate(alone))


def public(outcome: Outcome) -> Any:
    return outcome.fate, public_outcome(outcome, BY_NAME)


@LAW
@given(EVENTS)
def test_row_ids_of_one_event_differ_and_do_not_depend_on_the_source(event: Any) -> None:
    ids = [row.columns["row_id"] for row in PIPELINE(captured(event)).rows]

    assert len(set(ids)) == len(ids)
    assert all(len(identity) == 36 for identity in ids)
    assert ids == [row.columns["row_id"] for row in PIPELINE(captured(event, source="app")).rows]


@LAW
@given(EVENTS)
def test_sums_of_orders_and_lines_agree_with_what_each_row_says(event: Any) -> None:
    rows = PIPELINE(captured(event)).rows
    for row in rows:
        columns = row.columns
        assert ("line_index" in columns) == (
            columns.get("event") == "Product Purchased" and row is not rows[0]
        )
        if "line_revenue" in columns:
            units = columns.get("quantity", Decimal(1))
            revenue = WIDE.multiply(columns["price"], units)
            assert columns["line_revenue"] == revenue.quantize(Decimal("0.000001"), context=WIDE)
        if "order_revenue" in columns:
            assert columns["event"] == "Order Completed"
        if "refund_amount" in columns:
            assert columns["refund_amount"] >= 0
