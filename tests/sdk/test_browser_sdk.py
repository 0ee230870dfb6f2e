"""Segment's SDK in a real browser, on a page of another origin: what it sends is what the tables hold."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sdk.browser import ShopPage, opened, serving
from sdk.calls import CALLS, ORDER, kind_of
from sdk.clients import require_sdks
from sdk.install import NODE_SDKS
from sdk.store import Received, address, frames, received, shop, write_key
from system.processes import wait_until
from system.service import Service

pytestmark = pytest.mark.slow

BATCH = 10
BATCHING = {"strategy": "batching", "config": {"size": BATCH, "timeout": 100}}
WAYS: Mapping[str, Mapping[str, Any]] = {"snippet": {"snippet": True}, "package": {"delivery": BATCHING}}
"""How the SDK comes into the page and how it delivers: each call alone, as is its default, or batches."""


def arguments_of(call: Mapping[str, Any]) -> list[Any]:
    """The method and its arguments, in the order of this SDK."""
    match call["type"]:
        case "track":
            return ["track", call["event"], call["properties"]]
        case "page" | "screen" as kind:
            return [kind, call.get("category"), call["name"], call["properties"]]
        case "identify":
            return ["identify", call["userId"], call["traits"]]
        case "group":
            return ["group", call["groupId"], call["traits"]]
        case "alias":
            return ["alias", call["userId"], call["previousId"]]
    raise AssertionError(call["type"])


IDENTIFY = next(call for call in CALLS if call["type"] == "identify")
VISIT = [IDENTIFY, *(call for call in CALLS if call is not IDENTIFY)]
"""The person is known from the first call on, so every row has the id."""


class Visit(NamedTuple):
    """One page that was opened and made all calls, and what there is of it."""

    service: Service
    source: str
    origin: str
    began_ms: int
    ended_ms: int
    report: Mapping[str, list[str]]
    received: list[Received]


def sendings(report: Mapping[str, list[str]], service: Service) -> list[str]:
    """The paths that a page has sent calls to, one for each request."""
    paths = [each.removeprefix(address(service)) for each in report["asked"]]
    return [path for path in paths if re.fullmatch(r"/v1/[a-z]", path)]


def visit(service: Service, source: str, folder: Path, **settings: Any) -> Visit:
    """Open a page and wait until all its calls are rows."""
    shop_settings = {
        "writeKey": write_key(source),
        "host": address(service),
        "calls": [arguments_of(call) for call in VISIT],
        **settings,
    }
    began_ms = time.time_ns() // 1_000_000
    with serving(ShopPage(shop_settings)) as page, opened(page, folder / "profile") as log:
        try:
            wait_until("the page sends", lambda: bool(sendings(page.report, service)))
            wait_until("a row for each call", lambda: len(received(service, source)) >= len(VISIT))
        except AssertionError as error:
            said = [str(error), *page.report["errors"], log.read_text(), service.log]
            raise AssertionError("\n".join(said)) from None
        report = page.report
    ended_ms = time.time_ns() // 1_000_000
    service.drain()
    return Visit(service, source, page.origin, began_ms, ended_ms, report, received(service, source))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    require_sdks("chromium")
    with shop(tmp_path_factory.mktemp("shop"), WAYS, slow=["slow"]) as started:
        yield started


@pytest.fixture(scope="module", params=WAYS)
def visited(
    request: pytest.FixtureRequest, service: Service, tmp_path_factory: pytest.TempPathFactory
) -> Visit:
    return visit(service, request.param, tmp_path_factory.mktemp("browser"), **WAYS[request.param])


def test_every_call_is_one_row_and_none_is_rejected(visited: Visit) -> None:
    assert visited.report["errors"] == []
    assert Counter(row.kind for row in visited.received) == Counter(map(kind_of, VISIT))
    assert len({row.message_id for row in visited.received}) == len(VISIT)
    assert visited.service.rejected() == []
    assert set(visited.service.fates()) == {"stored"}


def test_every_row_has_the_person_the_same_browser_and_no_proof(visited: Visit) -> None:
    assert {row.user_id for row in visited.received} == {IDENTIFY["userId"]}
    assert len({row.anonymous_id for row in visited.received}) == 1
    assert {row.proven for row in visited.received} == {"none"}


def test_the_order_has_its_lines(visited: Visit) -> None:
    lines = visited.service.query(
        "SELECT product_id, quantity FROM order_lines WHERE source = ? AND order_id = ? ORDER BY line_index",
        visited.source,
        ORDER["properties"]["order_id"],
    )

    assert lines == [(each["product_id"], each["quantity"]) for each in ORDER["properties"]["products"]]


def test_the_rows_name_the_page_and_the_sdk(visited: Visit) -> None:
    named = visited.service.query(
        "SELECT DISTINCT context_library_name, context_library_version, context_page_url, context_page_title "
        "FROM events WHERE source = ? AND type = 'track'",
        visited.source,
    )

    version = f"next-{NODE_SDKS['@segment/analytics-next']}"
    assert named == [("analytics.js", version, f"{visited.origin}/", "Lantern & Loom")]


def test_the_browser_s_clock_is_corrected_by_the_time_of_arrival(visited: Visit) -> None:
    corrected_by = [
        row.timestamp_ms - row.received_ms + row.sent_ms - row.original_ms for row in visited.received
    ]

    assert set(corrected_by) == {0}
    for row in visited.received:
        assert visited.began_ms <= row.timestamp_ms <= row.received_ms <= visited.ended_ms


def test_calls_travel_alone_or_in_batches(visited: Visit) -> None:
    routes = Counter(header["route"] for header in frames(visited.service, visited.source))

    if visited.source == "package":
        assert set(routes) == {"batch"}
        assert 1 < routes["batch"] <= len(VISIT) / 2
    else:
        assert routes == Counter(call["type"] for call in VISIT)
    assert len(sendings(visited.report, visited.service)) == routes.total()


def test_the_page_asked_nobody_but_its_own_server_and_the_service(visited: Visit) -> None:
    paths = {each.removeprefix(address(visited.service)) for each in visited.report["asked"]}
    elsewhere = {each for each in paths if not each.startswith(("/v1/", visited.origin))}

    assert elsewhere == set()
    assert f"/v1/projects/{write_key(visited.source)}/settings" in paths


def test_the_settings_turn_off_the_figures_that_the_sdk_reports_to_segment(service: Service) -> None:
    """They would leave the page half a minute after it was opened (analytics-next, remote-metrics.ts)."""
    settings = service.get(f"/v1/projects/{write_key('snippet')}/settings").json

    assert settings["metrics"] == {"sampleRate": 0}


def test_a_page_above_its_rate_is_told_to_wait_and_every_event_arrives_once(
    service: Service, tmp_path: Path
) -> None:
    slow = visit(service, "slow", tmp_path, delivery=BATCHING)

    assert Counter(row.kind for row in slow.received) == Counter(map(kind_of, VISIT))
    assert len(sendings(slow.report, service)) > len(frames(service, "slow"))
