"""The receiver as a Lambda: what differs from any other receiver; the rest is in the contract."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aws_account import Account
from aws_events import CONTEXT, api_event, url_event

from connector.aws.figures import Figures
from connector.aws.invocations import MOST_BODY_BYTES, Receiver, make_receiver, within_lambda
from connector.aws.secrets import RENEW_SECONDS, Secrets, read_references
from connector.errors import CannotKeep, ConfigError
from connector.events import Capture

ORDER = '{"type":"track","event":"Commande passée","messageId":"m1","properties":{"total":1e-7}}'.encode()
SOURCES = {
    "web": {"secrets": ["env:WEB_SECRET", "env:WEB_SECRET_BEFORE"]},
    "app": {"write_keys": ["env:APP_KEY"], "events_per_second": 1.0},
    "open": {"unsigned": True},
}


@dataclass
class MemoryJournal:
    """Keeps in memory, until it is told to fail."""

    kept: list[bytes] = field(default_factory=list)
    trouble: Exception | None = None
    room: bool = True

    def append(self, capture: Capture) -> None:
        if self.trouble:
            raise self.trouble
        self.kept.append(bytes(capture.body))

    def keep_refused(self, capture: Capture) -> bool:
        return self.room

    def not_ready(self) -> str | None:
        return None

    def close(self) -> None:
        """Nothing to close."""


class Clock:
    seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


def signed(body: bytes, secret: bytes = b"s3cret") -> dict[str, str]:
    return {"X-Signature": hmac.new(secret, body, hashlib.sha1).hexdigest()}


def post(body: bytes, headers: Mapping[str, str], path: str = "/webhook/web", **how: Any) -> dict[str, Any]:
    return url_event("POST", path, body, headers, **how)


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def receiver(journal: MemoryJournal, account: Account, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    monkeypatch.setenv("WEB_SECRET", "s3cret")
    monkeypatch.setenv("WEB_SECRET_BEFORE", "old")
    monkeypatch.setenv("APP_KEY", "app-key")
    settings = account.settings(sources=SOURCES, max_body_bytes=100_000, public_body_bytes=50_000)
    return Receiver(settings, journal, Secrets(()), Figures("receiver"))


def told(answer: Mapping[str, Any]) -> tuple[int, str]:
    return answer["statusCode"], json.loads(answer["body"]).get("code", "")


class TestEvents:
    @pytest.mark.parametrize("as_base64", [False, True])
    def test_a_body_is_kept_byte_for_byte_however_it_was_wrapped(
        self, receiver: Receiver, journal: MemoryJournal, as_base64: bool
    ) -> None:
        answer = receiver.answer(post(ORDER, signed(ORDER), as_base64=as_base64), CONTEXT)

        assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "ok"})
        assert answer["headers"]["content-type"] == "application/json"
        assert journal.kept == [ORDER]

    def test_an_http_api_hands_on_the_same(self, receiver: Receiver, journal: MemoryJournal) -> None:
        answer = receiver.answer(api_event("POST", "/webhook/web", ORDER, signed(ORDER)), CONTEXT)

        assert answer["statusCode"] == 200
        assert journal.kept == [ORDER]

    def test_a_query_changes_nothing(self, receiver: Receiver, journal: MemoryJournal) -> None:
        answer = receiver.answer(post(ORDER, signed(ORDER), "/webhook/web?from=segment&x=%C3%A9"), CONTEXT)

        assert (answer["statusCode"], journal.kept) == (200, [ORDER])

    def test_a_notice_that_somebody_is_to_be_deleted_is_kept_like_any_event(
        self, receiver: Receiver, journal: MemoryJournal
    ) -> None:
        notice = b'{"type":"delete","userId":"u1","messageId":"d1"}'

        assert receiver.answer(post(notice, signed(notice)), CONTEXT)["statusCode"] == 200
        assert journal.kept == [notice]

    def test_sdks_are_sent_to_the_address_they_asked_over_https(self, receiver: Receiver) -> None:
        answer = receiver.answer(api_event("GET", "/v1/projects/app-key/settings"), CONTEXT)

        [segment] = json.loads(answer["body"])["integrations"].values()
        assert segment == {"apiKey": "app-key", "apiHost": "lake.example/v1", "protocol": "https"}

    @pytest.mark.parametrize("event", [{}, {"version": "3.0"}, {"Records": []}, {"version": "2.0"}])
    def test_what_is_no_request_is_503_and_counted(
        self,
        receiver: Receiver,
        event: dict[str, Any],
        capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        answer = receiver.answer(event, CONTEXT)

        assert told(answer) == (503, "internal")
        assert int(answer["headers"]["retry-after"]) > 0
        assert figures(capsys) == [{"CannotKeep": 1}]
        assert "an event failed with" in caplog.text


class TestLimits:
    def test_a_body_stays_in_memory_and_is_no_larger_than_lambda_takes(self, account: Account) -> None:
        ours = within_lambda(account.settings())

        assert (ours.max_body_bytes, ours.spool_bytes) == (MOST_BODY_BYTES, MOST_BODY_BYTES)
        assert ours.max_in_flight_bytes >= 2 * MOST_BODY_BYTES

    def test_a_smaller_limit_that_is_set_stays(self, account: Account) -> None:
        assert within_lambda(account.settings(max_body_bytes=1_000)).max_body_bytes == 1_000

    def test_nothing_is_made_beside_the_code(
        self, receiver: Receiver, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)

        receiver.answer(post(ORDER, signed(ORDER)), CONTEXT)

        assert list(tmp_path.iterdir()) == []


def figures(capsys: pytest.CaptureFixture[str]) -> list[dict[str, float]]:
    """One entry for each line of figures: name to sum."""
    found = []
    for line in capsys.readouterr().out.splitlines():
        document = json.loads(line)
        [directive] = document["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], directive["Dimensions"]) == ("SegmentLake", [["service"]])
        assert document["service"] == "receiver"
        found.append({metric["Name"]: sum(document[metric["Name"]]) for metric in directive["Metrics"]})
    return found


class TestFigures:
    @pytest.mark.parametrize(
        ("event", "status", "counted"),
        [
            pytest.param(
                post(ORDER, signed(ORDER)), 200, {"Captured": 1, "CapturedBytes": len(ORDER)}, id="kept"
            ),
            pytest.param(post(ORDER, {}), 401, {"SignatureRefused": 1}, id="no signature"),
            pytest.param(post(ORDER, signed(b"x")), 401, {"SignatureRefused": 1}, id="wrong signature"),
            pytest.param(post(b"x", signed(b"x")), 400, {"RequestsRefused": 1}, id="not JSON"),
            pytest.param(post(b"x" * 100_001, {}), 413, {"RequestsRefused": 1}, id="too large"),
            pytest.param(post(ORDER, {}, "/v1/t"), 401, {"RequestsRefused": 1}, id="no write key"),
            pytest.param(post(ORDER, {}, "/v1/x"), 404, {"RequestsRefused": 1}, id="no such path"),
            pytest.param(post(ORDER, {}, "/webhook/nobody"), 503, {"NotConfigured": 1}, id="unknown source"),
            pytest.param(url_event("GET", "/webhook/web"), 405, {"RequestsRefused": 1}, id="wrong method"),
        ],
    )
    def test_each_answer_is_counted_once(
        self,
        receiver: Receiver,
        capsys: pytest.CaptureFixture[str],
        event: dict[str, Any],
        status: int,
        counted: dict[str, float],
    ) -> None:
        assert receiver.answer(event, CONTEXT)["statusCode"] == status
        assert figures(capsys) == [counted]

    def test_so_is_what_a_rate_refuses(self, receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
        crowd = b'{"writeKey":"app-key","batch":[' + b",".join([ORDER] * 60) + b"]}"

        statuses = [receiver.answer(post(crowd, {}, "/v1/b"), CONTEXT)["statusCode"] for _ in range(2)]

        assert statuses == [200, 429]
        assert figures(capsys) == [{"Captured": 1, "CapturedBytes": len(crowd)}, {"RequestsRefused": 1}]

    @pytest.mark.parametrize("trouble", [CannotKeep("no", code="journal_failed"), RuntimeError("cust-17")])
    def test_what_cannot_be_kept_is_503_and_counted_once(
        self,
        receiver: Receiver,
        journal: MemoryJournal,
        trouble: Exception,
        capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        journal.trouble = trouble

        answer = receiver.answer(post(ORDER, signed(ORDER)), CONTEXT)

        assert (answer["statusCode"], int(answer["headers"]["retry-after"]) > 0) == (503, True)
        assert figures(capsys) == [{"CannotKeep": 1}]
        assert "cust-17" not in caplog.text

    def test_a_refused_body_without_room_is_told_beside_its_refusal(
        self, receiver: Receiver, journal: MemoryJournal, capsys: pytest.CaptureFixture[str]
    ) -> None:
        journal.room = False

        assert receiver.answer(post(b"x", signed(b"x")), CONTEXT)["statusCode"] == 400
        assert figures(capsys) == [{"RequestsRefused": 1, "RefusedNotKept": 1}]

    @pytest.mark.parametrize("path", ["/healthz", "/readyz", "/favicon.ico", "/v1/projects/app-key/settings"])
    def test_who_sends_no_event_is_not_counted(
        self, receiver: Receiver, capsys: pytest.CaptureFixture[str], path: str
    ) -> None:
        receiver.answer(url_event("GET", path), CONTEXT)

        assert figures(capsys) == []


class TestSecrets:
    """One process over a rotation: it asks Secrets Manager, at the times that its clock says."""

    @pytest.fixture
    def secret(self, aws_environment: Account, aws_client: Callable[[str], Any]) -> Callable[..., None]:
        client, name = aws_client("secretsmanager"), f"lantern/{aws_environment.root}"

        def put(**values: str) -> None:
            try:
                client.create_secret(Name=name, SecretString=json.dumps(values))
            except client.exceptions.ResourceExistsException:
                client.put_secret_value(SecretId=name, SecretString=json.dumps(values))

        return put

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def started(
        self, aws_environment: Account, journal: MemoryJournal, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[[], Receiver]:
        for name in ("WEB_SECRET", "WEB_SECRET_BEFORE", "APP_KEY"):
            monkeypatch.setenv(name, "gone after the test")
            monkeypatch.delenv(name)
        secrets = Secrets(read_references(f"secretsmanager:lantern/{aws_environment.root}"), clock=clock)

        def start() -> Receiver:
            secrets.begin()
            return Receiver(aws_environment.settings(sources=SOURCES), journal, secrets, Figures("receiver"))

        return start

    def test_until_one_is_there_the_sender_is_asked_to_come_again(
        self, started: Callable[[], Receiver], secret: Callable[..., None], clock: Clock
    ) -> None:
        receiver = started()
        assert told(receiver.answer(post(ORDER, signed(ORDER)), CONTEXT)) == (503, "secret_missing")

        secret(WEB_SECRET="s3cret")
        assert told(receiver.answer(post(ORDER, signed(ORDER)), CONTEXT)) == (503, "secret_missing")
        clock.seconds += 10

        assert receiver.answer(post(ORDER, signed(ORDER)), CONTEXT)["statusCode"] == 200

    def test_a_rotated_one_counts_after_five_minutes_at_the_latest(
        self, started: Callable[[], Receiver], secret: Callable[..., None], clock: Clock
    ) -> None:
        secret(WEB_SECRET="s3cret", WEB_SECRET_BEFORE="s3cret")
        receiver = started()
        secret(WEB_SECRET="new", WEB_SECRET_BEFORE="s3cret")

        def statuses() -> list[int]:
            wanted = (signed(ORDER, b"new"), signed(ORDER))
            return [receiver.answer(post(ORDER, headers), CONTEXT)["statusCode"] for headers in wanted]

        before = statuses()
        clock.seconds += RENEW_SECONDS

        assert (before, statuses()) == ([401, 200], [200, 200])

    def test_those_that_make_no_configuration_are_not_taken(
        self,
        aws_environment: Account,
        journal: MemoryJournal,
        secret: Callable[..., None],
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        for name in ("APP_KEY", "SHOP_KEY"):
            monkeypatch.setenv(name, "gone after the test")
            monkeypatch.delenv(name)
        secret(APP_KEY="app-key", SHOP_KEY="shop-key")
        secrets = Secrets(read_references(f"secretsmanager:lantern/{aws_environment.root}"), clock=clock)
        secrets.begin()
        sources = {"app": {"write_keys": ["env:APP_KEY"]}, "shop": {"write_keys": ["env:SHOP_KEY"]}}
        settings = aws_environment.settings(sources=sources)
        receiver = Receiver(settings, journal, secrets, Figures("receiver"))
        secret(APP_KEY="shop-key", SHOP_KEY="shop-key")

        clock.seconds += RENEW_SECONDS
        event = b'{"type":"track","writeKey":"app-key"}'

        assert receiver.answer(post(event, {}, "/v1/t"), CONTEXT)["statusCode"] == 200
        assert "sources app and shop share one of their write_keys" in caplog.text


class TestAsAWhole:
    def test_it_is_made_from_the_environment_alone(
        self, aws_environment: Account, aws_client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = f"lantern/{aws_environment.root}"
        aws_client("secretsmanager").create_secret(Name=name, SecretString='{"WEB_SECRET": "s3cret"}')
        monkeypatch.setenv("CONNECTOR_SECRETS", f"secretsmanager:{name}")
        monkeypatch.setenv("CONNECTOR_SOURCES", json.dumps({"web": {"secrets": ["env:WEB_SECRET"]}}))
        monkeypatch.setenv("WEB_SECRET", "gone after the test")
        monkeypatch.delenv("WEB_SECRET")
        large = b'{"text":"' + b"x" * 5_000_000 + b'"}'

        receiver = make_receiver()
        answers = [receiver.answer(post(body, signed(body)), CONTEXT) for body in (ORDER, large, b"not json")]

        assert [answer["statusCode"] for answer in answers] == [200, 200, 400]
        assert [each.body for each in aws_environment.frames("journal/firehose/")] == [ORDER]
        assert [each.body for each in aws_environment.frames("journal/direct/")] == [large]
        assert [each.header["refused"] for each in aws_environment.frames("refused/")] == ["body_not_json"]

    def test_while_firehose_refuses_nothing_is_acknowledged(
        self, aws_environment: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CONNECTOR_SOURCES", '{"open": {"unsigned": true}}')
        receiver = make_receiver()
        aws_environment.refuse(503, "ServiceUnavailableException", method="POST")

        answer = receiver.answer(post(ORDER, {}, "/webhook/open"), CONTEXT)
        aws_environment.proxy.clear()

        assert told(answer) == (503, "journal_failed")
        assert aws_environment.objects("journal/") == {}
        assert receiver.answer(post(ORDER, {}, "/webhook/open"), CONTEXT)["statusCode"] == 200

    def test_a_secret_that_is_not_there_is_told_at_the_start(
        self, aws_environment: Account, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv("CONNECTOR_SOURCES", '{"web": {"secrets": ["env:NEVER_SET"]}}')

        receiver = make_receiver()

        assert "source web: env:NEVER_SET is not set" in caplog.text
        assert told(receiver.answer(post(ORDER, signed(ORDER)), CONTEXT)) == (503, "secret_missing")

    def test_without_a_stream_it_does_not_start(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CONNECTOR_SOURCES", '{"open": {"unsigned": true}}')

        with pytest.raises(ConfigError, match="delivery_stream"):
            make_receiver()

    def test_without_a_source_it_does_not_start_open_to_the_world(self, aws_environment: Account) -> None:
        with pytest.raises(ConfigError, match="sources"):
            make_receiver()
