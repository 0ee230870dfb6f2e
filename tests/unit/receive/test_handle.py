"""200 after the bytes are kept; otherwise the answer that costs the sender least."""

from __future__ import annotations

import pytest
from receive_fakes import EVENT, SECOND, SECRET, Clock, MemoryJournal, figure, raw_request, signed

from connector.errors import CannotKeep, TooManyEvents
from connector.events import RawRequest, Reply, SourceKeys
from connector.receive.admit import admit, judging_keys
from connector.receive.handle import Desk, Visit
from connector.receive.metrics import Metrics
from connector.receive.refusals import Refusals
from connector.receive.sources import Sources
from connector.receive.throttle import Throttle

WEB = SourceKeys("web", secrets=(SECRET,))
OPEN = SourceKeys("open", unsigned=True)
UNSET = SourceKeys("unset", missing=("UNSET_SECRET",))
SDK = SourceKeys("sdk", write_keys=(b"write-key",))
NOT_JSON = b"{"
KEPT = Reply(200, {"status": "ok"})


class Receiver:
    def __init__(self, journal: MemoryJournal | None = None) -> None:
        self.journal = journal or MemoryJournal()
        self.metrics = Metrics()
        self.desk = Desk(self.journal, self.metrics, Refusals(Throttle(Clock())))
        self.sources = Sources((WEB, OPEN, UNSET, SDK))

    def handle(self, request: RawRequest) -> Reply:
        def work(visit: Visit) -> Reply:
            keys = self.sources.named(request.source)
            visit.source = keys.name if keys else visit.source
            self.desk.keep(admit, request, judging_keys(keys))
            return KEPT

        return self.desk.attend(work)

    def counted(self, name: str, **labels: str) -> float:
        return figure(self.metrics, f"connector_{name}_total", **labels)


def test_what_is_acknowledged_is_kept_byte_for_byte() -> None:
    receiver = Receiver()

    reply = receiver.handle(raw_request(EVENT, signed(EVENT)))

    assert reply is KEPT
    assert [capture.body for capture in receiver.journal.kept] == [EVENT]
    assert receiver.counted("requests", source="web", outcome="ok") == 1
    assert len(EVENT) == receiver.counted("body_bytes")


@pytest.mark.parametrize(
    ("request_", "status", "code", "source", "counter"),
    [
        pytest.param(raw_request(EVENT), 401, "signature_missing", "web", "signature_missing"),
        pytest.param(
            raw_request(EVENT, signed(SECOND)), 401, "signature_mismatch", "web", "signature_mismatch"
        ),
        pytest.param(raw_request(NOT_JSON, signed(NOT_JSON)), 400, "body_not_json", "web", "refused_bodies"),
        pytest.param(raw_request(NOT_JSON, source="open"), 400, "body_not_json", "open", "refused_bodies"),
        pytest.param(raw_request(EVENT, source="nobody"), 503, "unknown_source", "unknown", "unknown_source"),
        pytest.param(raw_request(EVENT, source="unset"), 503, "secret_missing", "unset", "secret_missing"),
        pytest.param(
            raw_request(EVENT, source="sdk"), 503, "webhook_not_configured", "sdk", "webhook_not_configured"
        ),
    ],
)
def test_every_refusal_has_its_status_its_code_and_its_counter(
    request_: RawRequest, status: int, code: str, source: str, counter: str
) -> None:
    receiver = Receiver()

    reply = receiver.handle(request_)

    assert (status, code) == (reply.status, reply.body["code"])
    assert {"code", "message"} == set(reply.body)
    assert receiver.counted(counter) == 1
    assert receiver.counted("requests", source=source, outcome=code) == 1
    assert receiver.journal.kept == []


@pytest.mark.parametrize("source", ["nobody", "unset", "sdk"])
def test_our_own_mistakes_say_when_to_come_again(source: str) -> None:
    reply = Receiver().handle(raw_request(EVENT, source=source))

    assert int(reply.headers["Retry-After"]) > 0


def test_a_journal_that_cannot_keep_is_503_with_its_code_and_whole_seconds() -> None:
    full = CannotKeep("no room left", code="disk_full", retry_after_seconds=7)
    receiver = Receiver(MemoryJournal(trouble=full))

    reply = receiver.handle(raw_request(EVENT, signed(EVENT)))

    assert Reply(503, {"code": "disk_full", "message": "no room left"}, {"Retry-After": "7"}) == reply
    assert receiver.counted("cannot_keep", code="disk_full") == 1
    assert receiver.counted("body_bytes") == 0


def test_a_signed_body_that_is_not_json_is_kept_before_it_is_refused() -> None:
    receiver = Receiver()

    assert receiver.handle(raw_request(NOT_JSON, signed(NOT_JSON))).status == 400
    assert [(each.body, each.refused) for each in receiver.journal.refused] == [(NOT_JSON, "body_not_json")]
    assert receiver.counted("refused_not_kept") == 0


def test_an_unsigned_body_that_is_not_json_fills_no_disk() -> None:
    receiver = Receiver()

    assert receiver.handle(raw_request(NOT_JSON, source="open")).status == 400
    assert receiver.journal.refused == []
    assert receiver.counted("refused_not_kept") == 0


def test_beyond_the_limit_of_refused_bodies_the_answer_stays_and_a_counter_says_so() -> None:
    receiver = Receiver(MemoryJournal(refused_room=0))

    assert receiver.handle(raw_request(NOT_JSON, signed(NOT_JSON))).status == 400
    assert receiver.counted("refused_not_kept") == 1


def test_a_signed_body_that_is_not_json_and_cannot_be_kept_is_503() -> None:
    receiver = Receiver(MemoryJournal(trouble=CannotKeep("no room left", code="disk_full")))

    reply = receiver.handle(raw_request(NOT_JSON, signed(NOT_JSON)))

    assert (reply.status, reply.body["code"]) == (503, "disk_full")
    assert receiver.counted("refused_bodies") == 0
    assert receiver.counted("cannot_keep", code="disk_full") == 1


def test_a_sender_that_brings_too_much_is_told_when_to_come_again() -> None:
    receiver = Receiver()

    def work(visit: Visit) -> Reply:
        visit.source = "web"
        raise TooManyEvents("too many", retry_after_seconds=12)

    reply = receiver.desk.attend(work)

    assert Reply(429, {"code": "rate_limited", "message": "too many"}, {"Retry-After": "12"}) == reply
    assert receiver.counted("rate_limited") == 1
    assert receiver.counted("requests", source="web", outcome="rate_limited") == 1


def test_an_error_nobody_foresaw_is_503_and_takes_its_time_like_any_other_answer() -> None:
    receiver = Receiver()

    def work(visit: Visit) -> Reply:
        raise ValueError("jo@example.com")

    reply = receiver.desk.attend(work)

    assert (reply.status, reply.body["code"]) == (503, "internal")
    assert "jo@" not in str(reply)
    assert figure(receiver.metrics, "connector_request_duration_seconds_count") == 1
