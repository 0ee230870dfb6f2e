"""Segment's SDKs for servers, only their host changed: what a program calls is what the tables hold."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sdk.calls import CALLS, ORDER, kind_of
from sdk.clients import BATCH, NODE, PYTHON, Sdk, require_sdks, running_clients
from sdk.store import Received, address, frames, received, shop, write_key
from system.service import HOST, Service

pytestmark = pytest.mark.slow

SDKS: Mapping[str, Sdk] = {**PYTHON, "node": NODE}
VERSIONS = {name: SDKS[name] for name in ("newest", "previous", "node")}
"""Each code that sends, once."""
EARLIER = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
EARLIER_CALL = {
    "type": "track",
    "event": "Store Visited",
    "userId": "usr_48213",
    "timestamp": EARLIER.isoformat(),
    "properties": {"shop": "Portland"},
}
"""A time of the program's own: something that happened before it was told."""
ALL_CALLS = [*CALLS, EARLIER_CALL]
BATCHES = -(-len(ALL_CALLS) // BATCH)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Told(NamedTuple):
    """What one SDK was told to send, and when, and what there is of it now."""

    service: Service
    source: str
    sdk: Sdk
    began_ms: int
    ended_ms: int
    requests: int
    failures: list[dict[str, Any]]
    received: list[Received]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    require_sdks("node")
    slow = [f"slow-{name}" for name in VERSIONS]
    with shop(tmp_path_factory.mktemp("shop"), SDKS, slow=slow) as started:
        yield started


@pytest.fixture(scope="module", params=SDKS)
def told(request: pytest.FixtureRequest, service: Service, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """All calls through one SDK, flushed, its program ended, and all of it written."""
    source = request.param
    sdk = SDKS[source]
    settings = {source: {"writeKey": write_key(source), "host": address(service)}}
    began_ms = now_ms()
    with running_clients({source: sdk}, tmp_path_factory.mktemp("client"), settings) as clients:
        clients[source].send(ALL_CALLS)
        requests, failures = clients[source].requests, clients[source].failures
    ended_ms = now_ms()
    service.drain()
    return Told(service, source, sdk, began_ms, ended_ms, requests, failures, received(service, source))


def test_every_call_is_one_row_and_none_is_rejected(told: Told) -> None:
    assert told.failures == []
    assert Counter(row.kind for row in told.received) == Counter(map(kind_of, ALL_CALLS))
    assert len({row.message_id for row in told.received}) == len(ALL_CALLS)
    assert told.service.rejected() == []
    assert set(told.service.fates()) == {"stored"}


def test_every_row_has_the_ids_of_its_call(told: Told) -> None:
    ids = {(kind_of(call), call.get("userId"), call.get("anonymousId")) for call in ALL_CALLS}

    assert {(row.kind, row.user_id, row.anonymous_id) for row in told.received} == ids


def test_the_order_has_its_money_and_its_lines(told: Told) -> None:
    lines = told.service.query(
        "SELECT product_id, price, quantity, line_revenue, currency FROM order_lines "
        "WHERE source = ? AND order_id = ? ORDER BY line_index",
        told.source,
        ORDER["properties"]["order_id"],
    )
    orders = told.service.query(
        "SELECT order_revenue, total, line_count FROM events WHERE source = ? AND event = 'Order Completed'",
        told.source,
    )

    assert orders == [(Decimal("112.5"), Decimal("126.5"), 3)]
    assert lines == [
        (each["product_id"], Decimal(str(each["price"])), Decimal(each["quantity"]),
         Decimal(str(each["price"])) * each["quantity"], "USD")
        for each in ORDER["properties"]["products"]
    ]  # fmt: skip


def test_page_and_screen_have_their_names(told: Told) -> None:
    named = told.service.query(
        "SELECT type, page_name, page_category FROM events "
        "WHERE source = ? AND type IN ('page', 'screen') ORDER BY type",
        told.source,
    )

    assert named == [("page", "Home", "Storefront"), ("screen", "Order Status", "Orders")]


def test_the_sdk_is_named_and_nothing_is_taken_for_proven(told: Told) -> None:
    libraries = told.service.query(
        "SELECT DISTINCT context_library_name, context_library_version FROM events WHERE source = ?",
        told.source,
    )

    assert libraries == [told.sdk.library]
    assert {row.proven for row in told.received} == {"none"}


def test_the_sender_s_clock_is_corrected_by_the_time_of_arrival(told: Told) -> None:
    own_times = [row for row in told.received if row.kind != EARLIER_CALL["event"]]
    (earlier,) = [row for row in told.received if row.kind == EARLIER_CALL["event"]]
    took_ms = told.ended_ms - told.began_ms

    assert [row for row in told.received if not told.began_ms <= row.received_ms <= told.ended_ms] == []
    assert {row.timestamp_ms - row.received_ms + row.sent_ms - row.original_ms for row in told.received} == {
        0
    }
    assert [row for row in own_times if not 0 <= row.received_ms - row.timestamp_ms <= took_ms] == []
    assert earlier.original_ms == EARLIER.timestamp() * 1_000
    assert 0 <= earlier.timestamp_ms - earlier.original_ms <= took_ms


def test_each_request_was_made_once_and_is_kept_once(told: Told) -> None:
    """Python before 2.4 takes 200 alone for success and sends all else again (segment-delivery 2.4)."""
    kept = frames(told.service, told.source)

    assert told.requests == len(kept) == BATCHES
    assert {header["route"] for header in kept} == {"batch"}


def test_the_audit_holds(service: Service) -> None:
    service.drain()

    assert service.audit()["ok"]


def test_a_sender_above_its_rate_is_told_to_wait_and_every_event_arrives_once(
    service: Service, tmp_path: Path
) -> None:
    few = CALLS[: 2 * BATCH]
    settings = {name: {"writeKey": write_key(f"slow-{name}"), "host": address(service)} for name in VERSIONS}
    with running_clients(VERSIONS, tmp_path, settings) as clients:
        for client in clients.values():
            client.begin(few)
        for client in clients.values():
            client.finish()
        requests = {name: client.requests for name, client in clients.items()}
        failures = [failure for client in clients.values() for failure in client.failures]
    service.drain()

    assert failures == []
    for name in VERSIONS:
        kept = frames(service, f"slow-{name}")
        assert requests[name] > len(kept) == 2
        kinds = Counter(row.kind for row in received(service, f"slow-{name}"))
        assert kinds == Counter(map(kind_of, few))


def test_a_wrong_write_key_is_told_to_the_program_and_nothing_is_stored(
    service: Service, tmp_path: Path
) -> None:
    settings = {"writeKey": "wk-of-nobody", "host": address(service)}
    received_before = service.audit()["received"]
    with running_clients(VERSIONS, tmp_path, dict.fromkeys(VERSIONS, settings)) as clients:
        for client in clients.values():
            client.begin([ORDER])
        for client in clients.values():
            client.finish()
            client.wait("the program is told", lambda client=client: bool(client.failures))
        told = {name: (client.requests, client.failures) for name, client in clients.items()}
    service.drain()

    assert {name: requests for name, (requests, _) in told.items()} == dict.fromkeys(VERSIONS, 1)
    for _, failures in told.values():
        assert [(each["failed"], each["status"]) for each in failures] == [(1, 401)]
    assert service.audit()["received"] == received_before


@contextmanager
def nobody_listens(port: int) -> Iterator[None]:
    """Keep a port for the service to come back to: connections are refused, no other program gets it."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((HOST, port))
        yield


def test_events_of_an_outage_are_sent_again_and_arrive_once(tmp_path: Path) -> None:
    require_sdks("node")
    before, meanwhile = CALLS[:BATCH], CALLS[BATCH:]
    with shop(tmp_path / "shop", VERSIONS) as service:
        settings = {name: {"writeKey": write_key(name), "host": address(service)} for name in VERSIONS}
        with running_clients(VERSIONS, tmp_path / "clients", settings) as clients:
            for client in clients.values():
                client.send(before)
            tried = {name: client.requests for name, client in clients.items()}
            assert service.stop() == 0
            with nobody_listens(service.port):
                for name, client in clients.items():
                    client.begin(meanwhile)
                    client.wait("a second try", lambda c=client, n=name: c.requests > tried[n] + 1)
                service.start("--port", str(service.port))
            for client in clients.values():
                client.finish()
                assert client.failures == []
        service.drain()

        for name in VERSIONS:
            assert Counter(row.kind for row in received(service, name)) == Counter(map(kind_of, CALLS))
        assert service.fates() == {"stored": len(VERSIONS) * len(CALLS)}
