"""What write keys may bring: events, bytes, threads and bodies in flight, so that webhooks find theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from receive_fakes import MemoryJournal, basic, figure, sign
from tracking_app import BATCH, ROOMY, TRACK, App, told

from connector.events import Capture


class TestRates:
    def test_above_its_rate_a_source_is_told_when_to_come_again(self) -> None:
        app = App()
        statuses = [app.post(BATCH, basic(b"web-key")).status_code for _ in range(6)]
        answer = app.post(BATCH, basic(b"web-key"))

        assert statuses == [200] * 5 + [429]
        assert (told(answer), answer.headers["Retry-After"]) == ((429, "rate_limited"), "1")
        assert len(app.journal.kept) == 5
        assert app.counted("rate_limited") == 2
        app.clock.seconds += 1
        assert app.post(BATCH, basic(b"web-key")).status_code == 200

    def test_the_events_of_a_batch_are_what_counts(self) -> None:
        app = App()
        long = b'{"batch":[' + b",".join([b"{}"] * 60) + b"]}"

        assert app.post(long, basic(b"web-key")).status_code == 200
        assert app.post(TRACK, basic(b"web-key")).headers["Retry-After"] == "11"

    def test_a_body_that_is_not_json_counts_as_well(self) -> None:
        app = App()

        statuses = [app.post(b"{", basic(b"web-key")).status_code for _ in range(11)]

        assert statuses == [400] * 10 + [429]
        assert len(app.journal.refused) == 10

    def test_webhooks_of_the_same_source_are_not_limited(self) -> None:
        app = App()
        app.post(b'{"batch":[' + b",".join([b"{}"] * 300) + b"]}", basic(b"web-key"))

        headers = {"X-Signature": sign(TRACK)}
        statuses = {
            app.client.post("/webhook/web", data=TRACK, headers=headers).status_code for _ in range(30)
        }

        assert statuses == {200}

    def test_too_many_events_at_once_are_413_and_not_kept(self) -> None:
        app = App(limits=ROOMY)
        statuses = [
            app.post(b"[" + b",".join([b"0"] * events) + b"]", basic(b"app-key")).status_code
            for events in (5_001, 4_000)
        ]

        assert statuses == [413, 200]
        assert ([len(each.body) for each in app.journal.kept], app.journal.refused) == ([8_001], [])
        assert app.counted("too_many_events") == 1

    def test_a_source_above_its_rate_is_turned_away_before_its_body_is_parsed(self) -> None:
        """A body that is no JSON would be 400 otherwise, and one that is too large 413."""
        app = App()
        app.post(b"[" + b",".join([b"0"] * 60) + b"]", basic(b"web-key"))

        for body in (b"{", b"x" * 2_000):
            answer = app.post(body, basic(b"web-key"))
            assert (told(answer), answer.headers["Retry-After"]) == ((429, "rate_limited"), "11")
        assert app.counted("requests", source="web", outcome="rate_limited") == 2
        assert app.journal.refused == []

    @pytest.mark.parametrize(
        ("headers", "body"),
        [
            pytest.param({}, b'{"a":"' + b"x" * 900 + b'"}', id="no key"),
            pytest.param(basic(b"nobody"), b'{"a":"' + b"x" * 900 + b'"}', id="an unknown key"),
        ],
    )
    def test_what_is_parsed_for_strangers_has_a_rate_of_its_own(
        self, headers: dict[str, str], body: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("connector.receive.rates.STRANGERS_BYTES_PER_SECOND", 1_000.0)
        app = App()

        statuses = [app.post(body, headers).status_code for _ in range(4)]
        turned_away = app.post(BATCH)

        assert statuses == [401, 401, 401, 429]
        assert told(turned_away) == (429, "rate_limited")
        assert app.post(TRACK, basic(b"app-key")).status_code == 200
        app.clock.seconds += int(turned_away.headers["Retry-After"])
        assert app.post(BATCH).status_code == 200


class Meanwhile(MemoryJournal):
    """A journal that takes so long that other requests come meanwhile, once."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Callable[[], Any]] = []

    def append(self, capture: Capture) -> None:
        if self.meanwhile:
            self.meanwhile.pop()()
        super().append(capture)


class TestThreads:
    """Half of the request threads are for webhooks, whatever is sent with write keys."""

    @pytest.mark.parametrize(("threads", "slots"), [(1, 1), (2, 1), (6, 3), (7, 3)])
    def test_at_most_half_of_them_hold_public_requests(self, threads: int, slots: int) -> None:
        journal = Meanwhile()
        app = App(journal=journal, threads=threads, limits=ROOMY)
        answers: list[Any] = []
        headers = {"X-Signature": sign(TRACK)}

        def nested() -> None:
            answers.append(app.post(TRACK, basic(b"app-key")))

        journal.meanwhile = [nested] * slots
        nested()

        webhook = app.client.post("/webhook/web", data=TRACK, headers=headers)
        assert [answer.status_code for answer in answers] == [503] + [200] * slots
        assert (told(answers[0]), answers[0].headers["Retry-After"]) == ((503, "public_busy"), "1")
        assert app.counted("public_busy") == 1
        assert app.counted("cannot_keep", code="public_busy") == 1
        assert webhook.status_code == 200
        assert len(journal.kept) == slots + 1

    def test_a_request_that_fails_gives_its_thread_back(self) -> None:
        app = App(threads=2)

        assert {app.post(TRACK).status_code for _ in range(5)} == {401}
        assert app.post(TRACK, basic(b"app-key")).status_code == 200

    def test_a_busy_receiver_reads_no_body(self) -> None:
        class Unread:
            def read(self, size: int = -1, /) -> bytes:
                raise AssertionError("the body was read")

        journal = Meanwhile()
        app = App(journal=journal, threads=2)
        environ: dict[str, Any] = {"CONTENT_LENGTH": "900", "wsgi.input": Unread()}
        answers: list[Any] = []
        journal.meanwhile = [lambda: answers.append(app.client.post("/v1/t", environ_overrides=environ))]

        assert app.post(TRACK, basic(b"app-key")).status_code == 200
        assert told(answers[0]) == (503, "public_busy")


class TestInFlight:
    def test_public_bodies_in_flight_leave_webhooks_theirs(self) -> None:
        """While two public bodies are being kept, a third has to wait and a webhook has not."""
        answers: list[tuple[str, int]] = []

        class Slow(MemoryJournal):
            def append(self, capture: Capture) -> None:
                if capture.public and len(answers) < 2:
                    answers.append(("public", app.post(big).status_code))
                    body = b'{"a":"' + b"x" * 3_000 + b'"}'
                    answer = app.client.post("/webhook/web", data=body, headers={"X-Signature": sign(body)})
                    answers.append(("webhook", answer.status_code))
                super().append(capture)

        app = App(journal=Slow())
        big = b'{"writeKey":"app-key","a":"' + b"x" * 900 + b'"}'

        assert app.post(big).status_code == 200
        assert ("public", 503) in answers
        assert {status for kind, status in answers if kind == "webhook"} == {200}
        assert figure(app.metrics, "connector_in_flight_bytes") == 0
