"""HTTP at the edge: paths, methods, limits, probes, and errors that tell nothing of a customer."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from receive_fakes import EVENT, SECOND, SECRET, MemoryJournal, basic, figure, sign
from werkzeug.test import TestResponse

from connector.events import Capture, SourceKeys
from connector.receive.bodies import Limits
from connector.receive.http import create_app
from connector.receive.metrics import Metrics
from connector.receive.sources import Sources

NOW_MS = 1_795_297_924_123
WEB = SourceKeys("web", secrets=(SECRET,))
OPEN = SourceKeys("open", unsigned=True)
UNSET = SourceKeys("unset", missing=("env:NOBODY_SETS_THIS",))
SDK = SourceKeys("sdk", write_keys=(b"write-key",))
CENTER = SourceKeys("center", api_keys=(b"new-api-key", b"old-api-key"))


class App:
    """A receiver with a few sources, all of its parts at hand."""

    def __init__(self, journal: MemoryJournal | None = None, **limits: Any) -> None:
        self.journal = journal or MemoryJournal()
        self.metrics = Metrics()
        app = create_app(
            self.journal,
            Sources((WEB, OPEN, CENTER, UNSET, SDK)),
            limits=Limits(**{"max_body_bytes": 100_000, **limits}),
            metrics=self.metrics,
            clock_ms=lambda: NOW_MS,
        )
        self.client: FlaskClient = app.test_client()

    def counted(self, name: str, **labels: str) -> float:
        return figure(self.metrics, f"connector_{name}_total", **labels)


def code_of(answer: TestResponse) -> Any:
    """The code that a JSON error tells."""
    return json.loads(answer.data)["code"]


class Unread:
    """A server's input that nobody may touch."""

    def read(self, size: int = -1, /) -> bytes:
        raise AssertionError("the body was read")


def unread(length: int) -> dict[str, Any]:
    return {"CONTENT_LENGTH": str(length), "wsgi.input": Unread()}


class Slow(MemoryJournal):
    """A journal that takes so long that another request comes meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], Any] = lambda: None
        self.answers: list[Any] = []

    def append(self, capture: Capture) -> None:
        self.answers.append(self.meanwhile())
        super().append(capture)


class TestWebhook:
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
    @pytest.mark.parametrize("path", ["/webhook/web", "/webhook/web/"])
    def test_a_signed_event_is_kept_with_the_time_of_its_arrival(self, method: str, path: str) -> None:
        app = App()

        answer = app.client.open(
            path,
            method=method,
            data=EVENT,
            headers={"X-Signature": sign(EVENT), "Content-Type": "application/json"},
        )

        assert (answer.status_code, answer.json) == (200, {"status": "ok"})
        assert [
            Capture("web", "webhook", NOW_MS, EVENT, "all", key=0, content_type="application/json")
        ] == app.journal.kept

    @pytest.mark.parametrize(
        "content_type",
        [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
    )
    def test_no_content_type_is_judged(self, content_type: str | None) -> None:
        app = App()

        assert app.client.post("/webhook/open", data=EVENT, content_type=content_type).status_code == 200
        assert [capture.body for capture in app.journal.kept] == [EVENT]

    def test_a_large_body_reaches_the_journal_as_a_memory_map(self, tmp_path: Path) -> None:
        app = App(spool_bytes=10)

        assert app.client.post("/webhook/open", data=EVENT).status_code == 200
        assert (app.journal.mapped, app.journal.kept[0].body) == ([True], EVENT)

    def test_a_request_is_timed_and_leaves_nothing_in_flight(self) -> None:
        app = App()
        app.client.post("/webhook/open", data=EVENT)

        assert figure(app.metrics, "connector_request_duration_seconds_count") == 1
        assert figure(app.metrics, "connector_in_flight_bytes") == 0


class TestDeveloperCenter:
    """A subscription sends its key as the user of a Basic header (segment-delivery 1.1)."""

    @pytest.mark.parametrize("key", [b"new-api-key", b"old-api-key"])
    def test_a_right_key_proves_the_event_and_its_settings_are_not_kept(
        self, key: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        app = App()
        headers = {**basic(key), "X-Segment-Settings": "eyJjb2xvciI6InJlZCJ9"}

        answer = app.client.post("/webhook/center", data=EVENT, headers=headers)

        assert (answer.status_code, answer.json) == (200, {"status": "ok"})
        assert [Capture("center", "webhook", NOW_MS, EVENT, "all")] == app.journal.kept
        assert "eyJjb2xvciI6InJlZCJ9" not in caplog.text

    def test_a_wrong_key_is_401_and_told_in_the_log_without_it(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        app = App()

        answer = app.client.post("/webhook/center", data=EVENT, headers=basic(b"guessed"))

        assert (answer.status_code, code_of(answer)) == (401, "signature_mismatch")
        assert app.journal.kept == []
        assert "source center: request refused with 401 signature_mismatch" in caplog.text
        assert not any(value in caplog.text for value in ("guessed", "api-key", "Order"))


class TestLimits:
    def test_a_body_above_the_limit_is_413_and_counted(self) -> None:
        app = App(max_body_bytes=50)

        answer = app.client.post("/webhook/open", data=b"x" * 51)

        assert (answer.status_code, code_of(answer)) == (413, "body_too_large")
        assert app.counted("body_too_large") == 1
        assert app.counted("requests", source="open", outcome="body_too_large") == 1

    @pytest.mark.parametrize(
        ("source", "code"),
        [
            ("nobody", "unknown_source"),
            ("unset", "secret_missing"),
            ("sdk", "webhook_not_configured"),
        ],
    )
    def test_where_no_body_could_be_admitted_none_is_read(self, source: str, code: str) -> None:
        app = App()

        answer = app.client.post(f"/webhook/{source}", environ_overrides=unread(100_000_000))

        assert (answer.status_code, code_of(answer)) == (503, code)
        assert app.counted(code) == 1

    def test_a_connection_that_breaks_is_400_counted_and_not_kept(self) -> None:
        app = App()
        environ: dict[str, Any] = {"CONTENT_LENGTH": str(len(EVENT) + 1), "wsgi.input": io.BytesIO(EVENT)}

        answer = app.client.post("/webhook/open", environ_overrides=environ)

        assert (answer.status_code, code_of(answer)) == (400, "body_incomplete")
        assert app.counted("body_incomplete") == 1
        assert (app.journal.kept, app.journal.refused) == ([], [])

    def test_too_many_bytes_in_flight_are_503_and_counted(self) -> None:
        journal = Slow()
        app = App(journal, max_body_bytes=400, max_in_flight_bytes=500)
        body = b'{"a":"' + b"x" * 300 + b'"}'
        journal.meanwhile = lambda: app.client.post("/webhook/open", data=body)

        first = app.client.post("/webhook/open", data=body)

        [second] = journal.answers
        assert (first.status_code, second.status_code, code_of(second)) == (200, 503, "over_capacity")
        assert second.headers["Retry-After"] == "1"
        assert app.counted("cannot_keep", code="over_capacity") == 1


class TestPaths:
    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/webhook",
            "/webhook/",
            "/webhook/we.b",
            "/webhook/-web",
            "/webhook/we%20b",
            "/webhook/web%0A",
            "/webhook/w%C3%A9b",
            "/webhook/web/more",
            "/webhook//web",
            "/webhook/" + "w" * 65,
            "/static/x",
        ],
    )
    def test_any_other_path_is_404_in_json(self, path: str) -> None:
        answer = App().client.post(path, data=EVENT)

        assert (
            answer.status_code,
            code_of(answer),
            answer.content_type,
        ) == (404, "not_found", "application/json")

    @pytest.mark.parametrize("slug", ["w", "0", "a-b_c", "w" * 64])
    def test_a_slug_that_nobody_configured_is_503_and_raises_an_alarm(self, slug: str) -> None:
        app = App()

        answer = app.client.post(f"/webhook/{slug}", data=EVENT)

        assert (answer.status_code, code_of(answer)) == (503, "unknown_source")
        assert app.counted("unknown_source") == 1

    @pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"])
    def test_other_methods_are_405_and_told_which_are_allowed(self, method: str) -> None:
        answer = App().client.open("/webhook/web", method=method)

        assert (answer.status_code, answer.headers["Allow"]) == (405, "PATCH, POST, PUT")
        if method != "HEAD":
            assert code_of(answer) == "method_not_allowed"


class TestCounting:
    @pytest.mark.parametrize(
        ("method", "path", "outcome"),
        [
            ("POST", "/webhook", "not_found"),
            ("POST", "/webhook/we.b", "not_found"),
            ("POST", "/v1/tracks", "not_found"),
            ("GET", "/webhook/web", "method_not_allowed"),
            ("GET", "/v1/t", "method_not_allowed"),
        ],
    )
    def test_what_no_route_answers_is_counted_where_senders_send(
        self, method: str, path: str, outcome: str
    ) -> None:
        app = App()
        app.client.open(path, method=method)

        assert app.counted("requests", source="unknown", outcome=outcome) == 1

    @pytest.mark.parametrize("path", ["/", "/favicon.ico", "/webhooks/web", "/v2/t"])
    def test_elsewhere_it_is_not(self, path: str) -> None:
        app = App()
        app.client.get(path)

        assert app.counted("requests", source="unknown", outcome="not_found") == 0

    def test_what_stood_in_the_path_is_not_in_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        App().client.post("/webhook/usr_48213", data=EVENT)

        assert len(caplog.messages) == 1
        assert "usr_48213" not in caplog.text


class TestProbes:
    def test_the_process_is_alive(self) -> None:
        assert App().client.get("/healthz").json == {"status": "ok"}

    def test_it_is_ready_when_the_journal_is(self) -> None:
        app = App()

        assert (
            app.client.get("/readyz").status_code,
            app.client.get("/readyz").json,
        ) == (200, {"status": "ok"})

        app.journal.why_not_ready = "less than 512 MiB left"
        answer = app.client.get("/readyz")
        assert (
            answer.status_code,
            answer.json,
        ) == (503, {"code": "not_ready", "message": "less than 512 MiB left"})

    def test_the_figures_are_text_for_prometheus(self) -> None:
        app = App()
        app.client.post("/webhook/open", data=EVENT)

        answer = app.client.get("/metrics")

        assert answer.content_type.startswith("text/plain; version=")
        assert 'connector_requests_total{outcome="ok",source="open"} 1.0' in answer.text


class Broken(MemoryJournal):
    """A journal with a defect, whose error holds what it was given."""

    def append(self, capture: Capture) -> None:
        raise ValueError(f"cannot digest {bytes(capture.body)!r}")

    def not_ready(self) -> str | None:
        raise ValueError("neither ready nor not")


class TestTheUnforeseen:
    def test_it_is_503_so_that_the_sender_comes_again(self) -> None:
        app = App(Broken())

        answer = app.client.post("/webhook/open", data=EVENT)

        assert (answer.status_code, code_of(answer)) == (503, "internal")
        assert int(answer.headers["Retry-After"]) > 0
        assert app.counted("internal_errors") == 1
        assert app.counted("requests", source="open", outcome="internal") == 1

    def test_it_is_503_wherever_it_happens(self) -> None:
        app = App(Broken())

        assert (
            app.client.get("/readyz").status_code,
            code_of(app.client.get("/readyz")),
        ) == (503, "internal")

    def test_its_log_line_names_type_and_place_and_nothing_that_was_sent(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        app = App(Broken())

        app.client.post("/webhook/open?token=query-value", data=EVENT, headers={"X-Lake-Key": "header-value"})

        assert "ValueError" in caplog.text
        assert "append" in caplog.text
        assert not any(sent in caplog.text for sent in ("Order Completed", "header-value", "query-value"))


def test_no_answer_and_no_log_line_holds_body_header_or_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    app = App()
    answers = [
        app.client.post("/webhook/web", data=EVENT, headers={"X-Signature": sign(SECOND)}),
        app.client.post("/webhook/web", data=EVENT),
        app.client.post(
            "/webhook/web", data=b"{jo@example.com", headers={"X-Signature": sign(b"{jo@example.com")}
        ),
        app.client.post("/webhook/open", data=b"{jo@example.com"),
        app.client.post("/webhook/nobody", data=EVENT),
    ]

    told = caplog.text + "".join(answer.text for answer in answers)
    assert not any(
        sent in told for sent in ("Order", "jo@", sign(SECOND), sign(EVENT), SECRET.decode() + '"')
    )
