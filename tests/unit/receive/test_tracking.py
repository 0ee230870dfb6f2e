"""Segment's HTTP Tracking API at the edge: paths, keys, limits, and what browsers need to be let through."""

from __future__ import annotations

import gzip
import logging

import pytest
from receive_fakes import MemoryJournal, basic, sign
from tracking_app import APP, BATCH, NOW_MS, PATHS, TRACK, WEB, App, told

from connector.errors import CannotKeep
from connector.events import TRACKING_ROUTES, Capture, SourceKeys
from connector.receive.sources import Sources


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
