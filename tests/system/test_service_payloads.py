"""Published payloads and our own examples through the whole service: each event has a fate, none is lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import require
from system.service import Lake, Service, batch_of, running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "../shared/reference/payload-examples.ndjson"
EXAMPLES = sorted((ROOT / "examples").glob("*/*.json"))
PERSON = b"usr_48213"


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def events_in(payload: Any) -> int:
    """How many events a request carries: a list, a ``batch`` of the HTTP API, or one."""
    if isinstance(payload, list):
        return len(payload)
    return len(payload["batch"]) if "batch" in payload else 1


def test_every_published_payload_is_taken_and_ends_in_exactly_one_fate(tmp_path: Path) -> None:
    require(PUBLISHED.is_file(), "the published payloads beside the checkout")
    payloads = [json.loads(line)["payload"] for line in PUBLISHED.read_text(encoding="utf-8").splitlines()]

    with running(tmp_path) as service:
        answers = [service.post(compact(payload)).status for payload in payloads]
        service.drain()
        report = service.audit()

    assert answers == [200] * 74
    assert report["received"] == sum(map(events_in, payloads)) == sum(report["fates"].values())
    assert report["fates"]["unmatched"] == report["fates"]["suppressed"] == 0
    assert Counter(each["code"] for each in service.rejected()) == {
        "type_unknown": 6,  # calls of the HTTP API whose type is said by a path, which a webhook has not
        "event_missing": 1,  # a track call that shows the envelope alone
        "identity_missing": 1,  # an alias whose ids go by names that only its page uses
    }
    assert {each["raw"].encode() for each in service.rejected()} <= set(map(compact, payloads))
    assert sent_ids(payloads) == stored_ids(service) | {each["message_id"] for each in service.rejected()} - {
        None
    }


def sent_ids(payloads: list[Any]) -> set[str]:
    single = [event for each in payloads for event in (each if isinstance(each, list) else [each])]
    return {event["messageId"] for event in single if "messageId" in event}


def stored_ids(lake: Lake) -> set[str]:
    tables = ("events", "profiles", "groups", "aliases", "deletions")
    union = " UNION ".join(f"SELECT message_id FROM {table}" for table in tables)
    return {value for (value,) in lake.query(union)} - {None}


@pytest.fixture(scope="module")
def singly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The examples, each in a request of its own."""
    with running(tmp_path_factory.mktemp("singly")) as service:
        answers = [service.post(path.read_bytes().strip()).status for path in EXAMPLES]
        assert answers == [200] * len(EXAMPLES)
        service.drain()
        yield service


def test_every_example_is_stored_without_a_violation(singly: Service) -> None:
    stored = {table: singly.query(f"SELECT count(*) FROM {table}")[0][0] for table in
              ("events", "profiles", "groups", "aliases", "deletions")}  # fmt: skip
    violated = singly.query("SELECT event FROM events WHERE len(violations) > 0")

    assert singly.fates() == {"stored": len(EXAMPLES)}
    # 28 ecommerce events, a custom one, a page and a screen, and the three lines of the order.
    assert stored == {"events": 34, "profiles": 1, "groups": 1, "aliases": 1, "deletions": 1}
    assert violated == []


def test_the_order_has_its_money_its_lines_and_its_times_in_typed_columns(singly: Service) -> None:
    ((order),) = singly.query(
        "SELECT order_revenue, subtotal, total, shipping, tax, discount, currency, coupon, line_count, "
        "source, proven, strftime(timestamp, '%Y-%m-%dT%H:%M:%S.%g'), day::VARCHAR, user_id "
        "FROM events WHERE order_id = 'ord_88207' AND event = 'Order Completed'"
    )
    lines = singly.query(
        "SELECT product_id, price, quantity, line_revenue, currency, category FROM order_lines "
        "WHERE order_id = 'ord_88207' ORDER BY line_index"
    )

    money = [Decimal(text) for text in ("112.5", "112.5", "126.5", "5", "9", "12.5")]
    assert list(order) == [
        *money, "USD", "SPRING10", 3, "web", "all", "2026-03-14T17:10:31.891", "2026-03-14", PERSON.decode()
    ]  # fmt: skip
    assert lines == [
        ("prd_2041", Decimal(64), Decimal(1), Decimal(64), "USD", "Lamps"),
        ("prd_1187", Decimal("48.5"), Decimal(1), Decimal("48.5"), "USD", "Throws"),
        ("prd_3310", Decimal("6.25"), Decimal(2), Decimal("12.5"), "USD", "Bulbs"),
    ]


def test_the_refund_is_seen_beside_its_order(singly: Service) -> None:
    orders = singly.query("SELECT order_id, gross, refunded FROM orders ORDER BY order_id")

    assert ("ord_88207", Decimal("112.5")) in [(order_id, gross) for order_id, gross, _ in orders]
    assert any(refunded > 0 for *_, refunded in orders)


def test_the_examples_as_one_batch_give_the_same_rows_but_the_deletion_is_not_proven(
    tmp_path: Path, singly: Service
) -> None:
    bodies = [path.read_bytes().strip() for path in EXAMPLES]
    with running(tmp_path) as service:
        assert service.post(batch_of(bodies), signed=bodies[0]).status == 200
        service.drain()
        fates, rejected = service.fates(), service.rejected()

        # The signature covers element 0 alone, and a deletion is not to be had by appending it.
        assert fates == {"stored": len(EXAMPLES) - 1, "rejected": 1}
        assert [each["code"] for each in rejected] == ["delete_unproven"]
        assert rows(service) == rows(singly)


def test_the_examples_as_one_batch_that_is_signed_as_a_whole_are_all_stored(
    tmp_path: Path, singly: Service
) -> None:
    with running(tmp_path) as service:
        assert service.post(batch_of([path.read_bytes().strip() for path in EXAMPLES])).status == 200
        service.drain()

        assert service.fates() == {"stored": len(EXAMPLES)}
        assert rows(service) == rows(singly)


def rows(lake: Lake) -> list[tuple[Any, ...]]:
    """Every row without what tells how it came."""
    columns = "COLUMNS(* EXCLUDE (captured_file, captured_index, proven))"
    return [
        row
        for table in ("events", "profiles", "groups", "aliases")
        for row in lake.query(f"SELECT {columns} FROM {table} ORDER BY row_id")
    ]


def test_a_signed_deletion_is_kept_without_the_id_in_clear(tmp_path: Path) -> None:
    delete = (ROOT / "examples/calls/delete.json").read_bytes().strip()
    with running(tmp_path) as service:
        assert service.post(delete).status == 200
        service.drain()
        found = service.query("SELECT * FROM deletions")
        files = [path for path in (service.data / "tables").rglob("*") if path.is_file()]

        assert service.fates() == {"stored": 1}
        assert len(found) == 1
        assert PERSON.decode() not in repr(found)
        assert [path.parts[-3] for path in files] == ["deletions"]
        assert not any(PERSON in path.read_bytes() for path in files)
        # Parquet compresses its pages, so the rows are read as text once more, column by column.
        text = service.query("SELECT to_json(deletions)::VARCHAR FROM deletions")
        assert PERSON.decode() not in repr(text)
