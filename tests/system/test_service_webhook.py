"""What the running service answers, counts, keeps apart and hands to the tables."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from system.service import LAKE_KEY, OLD_SECRET, Service, batch_of, running, signature

from connector.journal.frames import Frame, FrameScan

pytestmark = pytest.mark.slow

LARGEST = 100_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("webhook"), settings={"max_body_bytes": LARGEST}) as started:
        yield started


def track(message_id: str, **more: object) -> bytes:
    event = {"type": "track", "event": "Product Viewed", "messageId": message_id, "userId": "usr_1", **more}
    return json.dumps(event, separators=(",", ":")).encode()


def proofs(service: Service, *message_ids: str) -> list[str]:
    """What is proven of each event, in the order of the ids."""
    rows = dict(service.query("SELECT message_id, proven FROM events"))
    return [rows[message_id] for message_id in message_ids]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_an_event_is_taken_by_each_method_whatever_its_content_type(service: Service, method: str) -> None:
    body = track(f"by-{method}")
    headers = {**signature(body), "Content-Type": "text/plain"}

    assert service.send(body, headers, method=method).status == 200
    service.drain()
    assert proofs(service, f"by-{method}") == ["all"]


def test_a_signature_proves_the_body_or_the_first_of_a_batch_and_the_second_header_all_of_it(
    service: Service,
) -> None:
    def pair(name: str) -> list[bytes]:
        return [track(f"{name}-0"), track(f"{name}-1")]

    first, whole, old, header = pair("first"), pair("whole"), pair("old"), pair("header")
    answers = [
        service.post(batch_of(first), signed=first[0]),
        service.post(batch_of(whole)),
        service.send(batch_of(old), signature(batch_of(old), OLD_SECRET)),
        service.send(
            batch_of(header),
            {**signature(header[0], "till-secret"), "X-Lake-Key": LAKE_KEY},
            path="/webhook/till",
        ),
    ]
    service.drain()

    assert [answer.status for answer in answers] == [200] * 4
    assert proofs(service, "first-0", "first-1") == ["first", "none"]
    assert proofs(service, "whole-0", "whole-1", "old-0", "old-1") == ["all"] * 4
    assert proofs(service, "header-0", "header-1") == ["all"] * 2


REFUSALS = {
    "no signature": ("POST", "/webhook/web", track("x"), {}, 401, "signature_missing"),
    "wrong signature": ("POST", "/webhook/web", track("x"), signature(b"y"), 401, "signature_mismatch"),
    "not JSON": ("POST", "/webhook/open", b'{"type":', {}, 400, "body_not_json"),
    "another method": ("GET", "/webhook/web", b"", {}, 405, "method_not_allowed"),
    "too large": ("POST", "/webhook/open", b"[%b]" % (b" " * LARGEST), {}, 413, "body_too_large"),
    "unknown source": ("POST", "/webhook/nobody", track("x"), {}, 503, "unknown_source"),
    "missing secret": ("POST", "/webhook/unset", track("x"), signature(track("x")), 503, "secret_missing"),
    "another path": ("POST", "/", track("x"), {}, 404, "not_found"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_is_json_with_a_code_and_a_message(service: Service, case: str) -> None:
    method, path, body, headers, status, code = REFUSALS[case]

    answer = service.send(body, headers, path=path, method=method)

    assert (answer.status, answer.json["code"]) == (status, code)
    assert set(answer.json) == {"code", "message"}
    assert answer.json["message"]


def test_refusals_are_counted_where_an_alarm_can_see_them(service: Service) -> None:
    names = {
        "no signature": "connector_signature_missing_total",
        "wrong signature": "connector_signature_mismatch_total",
        "unknown source": "connector_unknown_source_total",
        "missing secret": "connector_secret_missing_total",
    }
    before = service.metrics()
    for case in names:
        method, path, body, headers, *_ = REFUSALS[case]
        service.send(body, headers, path=path, method=method)
    after = service.metrics()

    assert {name: after[name] - before.get(name, 0) for name in names.values()} == dict.fromkeys(
        names.values(), 1
    )


def test_a_missing_secret_is_told_at_the_start(service: Service) -> None:
    assert "source unset: env:NOBODY_SETS_THIS is not set" in service.log


def test_a_signed_body_that_cannot_be_read_is_kept_apart_and_an_unsigned_one_is_not(
    service: Service,
) -> None:
    broken = b'{"type":"track","event":'

    assert service.post(broken).status == 400
    assert service.send(broken, path="/webhook/open").status == 400
    assert refused_bodies(service) == [broken]


def refused_bodies(service: Service) -> list[bytes]:
    bodies = []
    for path in [*service.journal.glob("refused/open/*"), *service.journal.glob("refused/closed/*")]:
        text = path.read_bytes()
        scan = FrameScan(text, path.name.removesuffix(".open"))
        bodies += [text[each.body_start : each.body_end] for each in scan if isinstance(each, Frame)]
    return bodies


def test_drain_returns_while_requests_keep_coming_and_has_all_that_came_before(service: Service) -> None:
    before = [f"before-the-drain-{number}" for number in range(5)]
    assert [service.post(track(message_id)).status for message_id in before] == [200] * 5
    stop = threading.Event()
    answers: list[int] = []

    def keep_sending() -> None:
        while not stop.is_set():
            answers.append(service.post(track(f"meanwhile-{len(answers)}")).status)

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        service.drain()
        sent_by_then = len(answers)
        found = {value for (value,) in service.query("SELECT message_id FROM events")}
    finally:
        stop.set()
        sender.join()

    assert sent_by_then > 0
    assert set(answers) == {200}
    assert set(before) <= found
    service.drain()
    assert (
        len(answers) == service.query("SELECT count(*) FROM events WHERE message_id LIKE 'meanwhile-%'")[0][0]
    )


def test_it_tells_that_it_is_alive_and_ready(service: Service) -> None:
    assert [service.get(path).status for path in ("/healthz", "/readyz")] == [200, 200]


def test_the_ledger_holds_after_all_of_this(service: Service) -> None:
    service.drain()

    assert service.audit()["ok"]
