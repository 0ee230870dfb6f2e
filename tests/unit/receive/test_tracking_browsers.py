"""What a browser asks before it sends: whether it may, and where to."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from receive_fakes import MemoryJournal, basic, sign
from tracking_app import BATCH, PATHS, TRACK, App, told
from werkzeug.test import TestResponse

from connector.events import Capture
from connector.receive.sources import Sources


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
