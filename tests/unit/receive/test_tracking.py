"""Segment's HTTP Tracking API at the edge: paths, keys, limits, and what browsers need to be let through."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from flask.testing import FlaskClient
from receive_fakes import Clock, MemoryJournal, basic, figure, sign
from werkzeug.test import TestResponse

from connector.errors import CannotKeep
from connector.events import TRACKING_ROUTES, Capture, SourceKeys
from connector.receive.bodies import Limits
from connector.receive.http import create_app
from connector.receive.metrics import Metrics
from connector.receive.sources import Sources

NOW_MS = 1_795_297_924_123
WEB = SourceKeys("web", secrets=(b"abc",), write_keys=(b"web-key",), events_per_second=5)
APP = SourceKeys("app", write_keys=(b"app-key", b"app-key-before"))
TRACK = b'{"type":"track","event":"Product Viewed","messageId":"m1"}'
BATCH = b'{"batch":[' + TRACK + b"," + TRACK + b'],"writeKey":"app-key"}'
PATHS = {
    "batch": "batch", "b": "batch", "import": "import", "track": "track", "t": "track",
    "identify": "identify", "i": "identify", "page": "page", "p": "page", "screen": "screen", "s": "screen",
    "group": "group", "g": "group", "alias": "alias", "a": "alias",
}  # fmt: skip


TIGHT = Limits(max_body_bytes=4_000, public_body_bytes=1_000, max_in_flight_bytes=16_000)
ROOMY = Limits(max_body_bytes=100_000)


class App:
    """A receiver with two sources, all of its parts at hand."""

    def __init__(
        self,
        *known: SourceKeys,
        journal: MemoryJournal | None = None,
        sources: Sources | None = None,
        limits: Limits = TIGHT,
        **options: Any,
    ) -> None:
        self.journal = journal or MemoryJournal()
        self.metrics = Metrics()
        self.clock = Clock()
        app = create_app(
            self.journal,
            sources or Sources(known or (WEB, APP)),
            limits=limits,
            metrics=self.metrics,
            clock_ms=lambda: NOW_MS,
            monotonic=self.clock,
            **options,
        )
        self.client: FlaskClient = app.test_client()

    def post(
        self, body: bytes = BATCH, headers: Mapping[str, str] | None = None, path: str = "/v1/batch"
    ) -> Any:
        return self.client.post(path, data=body, headers=dict(headers or {}))

    def counted(self, name: str, **labels: str) -> float:
        return figure(self.metrics, f"connector_{name}_total", **labels)


def told(answer: TestResponse) -> tuple[int, str]:
    """Status and code of an error, which SDKs want with both keys (segment-delivery 2.4)."""
    body = json.loads(answer.data)
    assert body["message"]
    return answer.status_code, body["code"]


class TestPaths:
    @pytest.mark.parametrize("slash", ["", "/"])
    @pytest.mark.parametrize(("name", "route"), PATHS.items())
    def test_every_call_is_kept_under_its_long_name(self, name: str, route: str, slash: str) -> None:
        app = App()

        answer = app.post(TRACK, basic(b"app-key"), f"/v1/{name}{slash}")

        assert (answer.status_code, answer.data) == (200, b'{"success":true}')
        assert [Capture("app", route, NOW_MS, TRACK, "none", public=True)] == app.journal.kept
        assert app.counted("requests", source="app", outcome="ok") == 1

    def test_the_paths_cover_every_route(self) -> None:
        assert set(PATHS.values()) == TRACKING_ROUTES

    @pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/m", "/v1/tracks", "/v1/T", "/v1//t", "/v2/t"])
    def test_any_other_path_is_404(self, path: str) -> None:
        assert told(App().post(TRACK, basic(b"app-key"), path)) == (404, "not_found")

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_another_method_is_405(self, method: str) -> None:
        answer = App().client.open("/v1/t", method=method)

        assert told(answer) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == "OPTIONS, POST"


class TestBodies:
    @pytest.mark.parametrize("content_type", [None, "application/json; charset=utf-8", "text/plain"])
    def test_no_content_type_is_judged(self, content_type: str | None) -> None:
        app = App()

        assert app.client.post("/v1/b", data=BATCH, content_type=content_type).status_code == 200
        assert [capture.content_type for capture in app.journal.kept] == [content_type]

    def test_a_compressed_body_is_kept_decoded_with_the_key_that_lay_in_it(self) -> None:
        app = App()

        assert app.post(gzip.compress(BATCH), {"Content-Encoding": "gzip"}).status_code == 200
        [capture] = app.journal.kept
        assert (capture.source, capture.body, capture.content_encoding) == ("app", BATCH, "gzip")

    @pytest.mark.parametrize(
        "body", [b'{"not":"a batch"}', b"[" + TRACK + b"]", b'{"batch":null}', b'{"batch":[{"n":NaN}]}']
    )
    def test_meaning_is_not_judged(self, body: bytes) -> None:
        app = App()

        assert app.post(body, basic(b"app-key")).status_code == 200
        assert [capture.body for capture in app.journal.kept] == [body]

    def test_what_is_not_json_is_kept_apart_when_its_key_came_in_the_header(self) -> None:
        app = App()

        assert told(app.post(b"{", basic(b"app-key"))) == (400, "body_not_json")
        assert app.journal.refused == [
            Capture("app", "batch", NOW_MS, b"{", "none", refused="body_not_json", public=True)
        ]

    def test_what_is_not_json_and_has_its_key_inside_fills_no_disk(self) -> None:
        app = App()

        assert told(app.post(BATCH[:-1])) == (400, "body_not_json")
        assert (app.journal.kept, app.journal.refused) == ([], [])

    def test_when_there_is_no_room_for_a_refused_body_it_is_503(self) -> None:
        trouble = CannotKeep("no room", code="public_no_room", retry_after_seconds=30)
        app = App(journal=MemoryJournal(trouble))

        answer = app.post(b"{", basic(b"app-key"))

        assert (told(answer), answer.headers["Retry-After"]) == ((503, "public_no_room"), "30")
        assert app.counted("public_no_room") == 1
        assert app.counted("cannot_keep", code="public_no_room") == 1

    def test_a_body_above_the_limit_of_public_ones_is_413_and_counted_for_its_source(self) -> None:
        app = App()
        body = b'{"a":"' + b"x" * 2_000 + b'"}'

        assert told(app.post(body, basic(b"app-key"))) == (413, "body_too_large")
        assert app.counted("requests", source="app", outcome="body_too_large") == 1
        assert (
            app.client.post("/webhook/web", data=body, headers={"X-Signature": sign(body)}).status_code == 200
        )


class TestKeys:
    @pytest.mark.parametrize(
        ("headers", "body", "source"),
        [
            pytest.param(basic(b"web-key"), TRACK, "web", id="in the header"),
            pytest.param({"Authorization": "Basic d2ViLWtleQ=="}, TRACK, "web", id="without the colon"),
            pytest.param({}, BATCH, "app", id="in the body"),
            pytest.param({"Authorization": "Bearer token"}, BATCH, "app", id="in the body beside a token"),
            pytest.param(basic(b"web-key"), BATCH, "web", id="in both: the header's"),
            pytest.param(basic(b"nobody"), BATCH, "app", id="an unknown one in the header"),
        ],
    )
    def test_it_names_the_source(self, headers: dict[str, str], body: bytes, source: str) -> None:
        app = App()

        assert app.post(body, headers).status_code == 200
        assert [capture.source for capture in app.journal.kept] == [source]

    @pytest.mark.parametrize(
        ("headers", "body"),
        [
            pytest.param({}, TRACK, id="none"),
            pytest.param(basic(b"nobody"), TRACK, id="unknown in the header"),
            pytest.param({}, BATCH.replace(b"app-key", b"nobody"), id="unknown in the body"),
            pytest.param({}, b"hello", id="a body that cannot hold one"),
            pytest.param({}, b"", id="no body"),
            pytest.param(basic(b"abc"), TRACK, id="the secret of a webhook"),
        ],
    )
    def test_without_a_known_one_it_is_401_and_nothing_is_kept(
        self, headers: dict[str, str], body: bytes
    ) -> None:
        app = App()

        assert told(app.post(body, headers)) == (401, "unknown_write_key")
        assert (app.journal.kept, app.journal.refused) == ([], [])
        assert app.counted("unknown_write_key") == 1
        assert app.counted("requests", source="unknown", outcome="unknown_write_key") == 1

    def test_a_key_that_may_be_one_that_is_not_set_is_503(self) -> None:
        app = App(SourceKeys("app", missing_write_keys=("env:APP_KEY",)))

        answer = app.post(TRACK, basic(b"perhaps"))

        assert told(answer) == (503, "secret_missing")
        assert int(answer.headers["Retry-After"]) > 0

    def test_without_a_configuration_every_key_is_taken(self) -> None:
        app = App(sources=Sources.development())

        assert app.post(TRACK, basic(b"any")).status_code == 200
        assert [(each.source, each.public) for each in app.journal.kept] == [("sdk", True)]

    def test_no_answer_and_no_log_line_holds_a_key_or_what_was_sent(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        app = App(WEB, APP)
        answers = [
            app.post(TRACK, basic(b"nobodys-key")),
            app.post(b"{jo@example.com", basic(b"app-key")),
            *(app.post(BATCH, basic(b"web-key")) for _ in range(9)),
        ]

        said = caplog.text + "".join(answer.text for answer in answers)
        assert {answer.status_code for answer in answers} == {401, 400, 200, 429}
        assert "source web: request refused with 429 rate_limited" in caplog.text
        assert not any(value in said for value in ("nobodys", "-key", "jo@", "Product"))


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


class TestBrowsers:
    @pytest.mark.parametrize("path", [*(f"/v1/{name}" for name in PATHS), "/v1/projects/app-key/settings"])
    def test_a_preflight_is_let_through_and_repeats_nothing(self, path: str) -> None:
        asked = {
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,x-evil",
        }

        answer = App().client.options(path, headers=asked)

        assert (answer.status_code, answer.data) == (204, b"")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert answer.headers["Access-Control-Allow-Headers"] == "authorization, content-type, x-retry-count"
        assert int(answer.headers["Access-Control-Max-Age"]) > 0
        assert not any(word in str(answer.headers) for word in ("evil", "shop.example"))

    @pytest.mark.parametrize(
        ("path", "body", "headers", "status"),
        [
            ("/v1/batch", BATCH, {}, 200),
            ("/v1/t", b"{", basic(b"app-key"), 400),
            ("/v1/t", TRACK, {}, 401),
            ("/v1/t", b"x" * 1_001, {}, 413),
            ("/v1/m", TRACK, {}, 404),
        ],
    )
    def test_every_answer_may_be_read_by_a_page(
        self, path: str, body: bytes, headers: dict[str, str], status: int
    ) -> None:
        answer = App().post(body, headers, path)

        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"

    def test_an_error_nobody_foresaw_may_be_read_too(self) -> None:
        class Broken(MemoryJournal):
            def append(self, capture: Capture) -> None:
                raise ValueError(f"cannot digest {bytes(capture.body)!r}")

        answer = App(journal=Broken()).post(BATCH)

        assert told(answer) == (503, "internal")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"

    def test_webhooks_are_no_business_of_a_page(self) -> None:
        answer = App().client.post("/webhook/web", data=TRACK, headers={"X-Signature": sign(TRACK)})

        assert "Access-Control-Allow-Origin" not in answer.headers


class TestSettings:
    """What an SDK asks for that is told only where its settings are."""

    def ask(self, host: str = "lake.example:8080", **options: Any) -> TestResponse:
        return App().client.get(
            "/v1/projects/app-key/settings", headers={"Host": host, **options.pop("headers", {})}, **options
        )

    @pytest.mark.parametrize("host", ["lake.example", "lake.example:8080", "127.0.0.1:80", "[::1]:8080"])
    def test_the_sdk_is_sent_to_the_host_it_asked(self, host: str) -> None:
        answer = self.ask(host)

        assert answer.json == {
            "integrations": {
                "Segment.io": {"apiKey": "app-key", "apiHost": f"{host}/v1", "protocol": "http"}
            },
            "metrics": {"sampleRate": 0},
        }
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        ("public_url", "host", "protocol"),
        [
            ("https://lake.example", "lake.example", "https"),
            ("https://lake.example/", "lake.example", "https"),
            ("http://lake.example:8080", "lake.example:8080", "http"),
            ("https://shop.example/lake/", "shop.example/lake", "https"),
        ],
    )
    @pytest.mark.parametrize("asked", ["127.0.0.1:8080", "evil.example", "a b", ""])
    def test_a_configured_address_counts_whatever_host_says(
        self, public_url: str, host: str, protocol: str, asked: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        app = App(public_url=public_url)

        answer = app.client.get("/v1/projects/app-key/settings", environ_overrides={"HTTP_HOST": asked})

        segment = answer.json["integrations"]["Segment.io"]
        assert (segment["apiHost"], segment["protocol"]) == (f"{host}/v1", protocol)
        assert caplog.messages == []

    @pytest.mark.parametrize(
        "host",
        ["localhost", "LOCALHOST:80", "shop.localhost:8080", "127.0.0.1:8080", "127.8.9.1", "[::1]:80"],
    )
    def test_a_loopback_address_is_told_and_warned_of_once_a_minute(
        self, host: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        app = App()
        ask = partial(app.client.get, "/v1/projects/app-key/settings", headers={"Host": host})

        assert {ask().status_code for _ in range(3)} == {200}
        app.clock.seconds += 60
        ask()

        assert ["public_url is not set" in message for message in caplog.messages] == [True, True]

    def test_other_hosts_and_receivers_without_a_configuration_are_not_warned_of(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        for host in ("lake.example", "127.lake.example", "10.0.0.1", "localhost.example"):
            self.ask(host)
        development = App(sources=Sources.development())
        development.client.get("/v1/projects/any/settings", headers={"Host": "127.0.0.1:8080"})

        assert caplog.messages == []

    def test_over_tls_it_is_told_so(self) -> None:
        answer = self.ask(base_url="https://lake.example", host="lake.example")

        assert answer.json["integrations"]["Segment.io"]["protocol"] == "https"

    @pytest.mark.parametrize(
        ("reported", "protocol"),
        [("https", "https"), ("HTTPS", "https"), ("https, http", "https"), ("gopher", "http"), ("", "http")],
    )
    def test_behind_a_proxy_the_scheme_is_the_one_that_it_reports(self, reported: str, protocol: str) -> None:
        answer = self.ask(headers={"X-Forwarded-Proto": reported})

        assert answer.json["integrations"]["Segment.io"]["protocol"] == protocol

    @pytest.mark.parametrize("host", ["evil.example/x?", "a b", "lake.example:port", "", 'x"', "lake@evil"])
    def test_a_host_that_could_not_be_one_is_400_and_not_repeated(self, host: str) -> None:
        answer = App().client.get("/v1/projects/app-key/settings", environ_overrides={"HTTP_HOST": host})

        assert told(answer) == (400, "bad_host")
        assert not host or host not in answer.text

    @pytest.mark.parametrize("key", ["nobody", "app-ke", "%FF", "app-key%0A"])
    def test_for_an_unknown_key_there_are_none(self, key: str) -> None:
        app = App()

        answer = app.client.get(f"/v1/projects/{key}/settings")

        assert told(answer) == (404, "unknown_write_key")
        assert app.counted("unknown_write_key") == 1
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
