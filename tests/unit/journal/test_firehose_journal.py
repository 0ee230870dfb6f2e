"""The journal on AWS: acknowledged is what the service acknowledged, whatever goes wrong on the way."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_account import HASTE, Account, frames_in

from connector.config import load_settings
from connector.errors import CannotKeep, ConfigError
from connector.events import Capture
from connector.journal.firehose import TRIES, FirehoseJournal
from connector.journal.frames import receipt_frame
from connector.journal.stream import DeliveryStream
from connector.s3.config import S3Config, S3Place
from connector.s3.store import S3Store
from connector.wiring.aws import make_firehose_journal

NOW_MS = 1_795_381_199_999
"""2026-11-22 20:59:59.999 UTC."""
EVENT = Capture("web", "webhook", NOW_MS, b'{"type":"track","messageId":"m1"}', "all", 0)
LARGE = replace(EVENT, body=b'{"text":"' + b"x" * 5_000 + b'"}')
UNREADABLE = replace(EVENT, body=b"not json", refused="body_not_json")
RECORD_BYTES = 4_000


class Clock:
    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


Made = Callable[..., FirehoseJournal]


@pytest.fixture
def make(account: Account, hasty_clients: dict[str, Any]) -> Made:
    """Journals over one account."""

    def made(config: S3Config = HASTE, stream: str = "", **options: Any) -> FirehoseJournal:
        def store(name: str) -> S3Store:
            return S3Store(hasty_clients["s3"], S3Place(account.bucket, f"{account.root}/{name}/"), config)

        return FirehoseJournal(
            DeliveryStream(hasty_clients["firehose"], stream or account.stream),
            store("journal"),
            store("refused"),
            **{"record_bytes": RECORD_BYTES, "pause": lambda _: None} | options,
        )

    return made


def kept(account: Account) -> list[bytes]:
    return [each.body for each in account.frames()]


class TestWhereACaptureGoes:
    def test_a_frame_is_one_record_as_it_is(self, account: Account, make: Made) -> None:
        make().append(replace(EVENT, content_type="application/json"))

        [(name, text)] = account.objects("journal/").items()
        [frame] = frames_in(text)
        assert name.startswith("journal/firehose/")
        assert (frame.body, frame.text) == (EVENT.body, text)
        assert {
            "source": "web",
            "route": "webhook",
            "proven": "all",
            "key": 0,
        }.items() <= frame.header.items()
        assert int(frame.header["receipt"], 16)
        assert len(frame.header["receipt"]) == 32
        assert not {"file", "seq"} & frame.header.keys()

    def test_records_that_are_joined_are_read_back(self, account: Account, make: Made) -> None:
        journal, bodies = make(), [b"[]", b"", b"\n\n", b'{"capture":1']

        for body in bodies:
            journal.append(replace(EVENT, body=body))

        assert [each.body for each in frames_in(b"".join(account.sent()))] == bodies
        assert len({each.header["receipt"] for each in account.frames()}) == len(bodies)

    def test_a_larger_one_is_an_object_under_the_hour_of_its_arrival(
        self, account: Account, make: Made
    ) -> None:
        make(receipts=lambda: "ab" * 16).append(LARGE)

        assert list(account.objects("journal/")) == ["journal/direct/2026/11/22/20/" + "ab" * 16]
        assert kept(account) == [LARGE.body]

    @pytest.mark.parametrize(("spare_bytes", "folder"), [(0, "firehose"), (-1, "direct")])
    def test_the_limit_is_of_the_whole_frame(
        self, account: Account, make: Made, spare_bytes: int, folder: str
    ) -> None:
        make(record_bytes=len(receipt_frame(EVENT, "0" * 32)) + spare_bytes).append(EVENT)

        [name] = account.objects("journal/")
        assert name.split("/")[1] == folder

    @pytest.mark.parametrize("size_bytes", [100, 10_000])
    def test_a_body_may_be_a_memory_map(
        self, account: Account, make: Made, size_bytes: int, tmp_path: Path
    ) -> None:
        (tmp_path / "body").write_bytes(b"x" * size_bytes)
        with (tmp_path / "body").open("rb") as file:
            body = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        with body:
            make().append(replace(EVENT, body=body))

        assert kept(account) == [b"x" * size_bytes]

    def test_an_object_is_encrypted_as_configured_and_never_overwritten(
        self, account: Account, make: Made
    ) -> None:
        make(replace(HASTE, encryption="aws:kms", kms_key_id="alias/lantern")).append(LARGE)

        [request] = [each for each in account.proxy.requests if each.method == "PUT"]
        told = {
            "if-none-match": "*",
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": "alias/lantern",
        }
        assert told.items() <= request.headers.items()


NEVER = {
    "throttled": (lambda proxy, where: proxy.say(503, '{"__type":"ServiceUnavailableException"}', **where)),
    "failing": (lambda proxy, where: proxy.say(500, '{"__type":"InternalFailure"}', **where)),
    "closing": (lambda proxy, where: proxy.drop(**where)),
    "resetting": (lambda proxy, where: proxy.reset(**where)),
    "hanging": (lambda proxy, where: proxy.hang(**where)),
}
LANES = {"record": EVENT, "object": LARGE}
QUICK = [(trouble, lane) for trouble in NEVER if trouble != "hanging" for lane in LANES]


class TestWhatIsRefused:
    @pytest.mark.parametrize(("trouble", "lane"), [*QUICK, ("hanging", "record")])
    def test_trouble_that_stays_is_told_after_two_tries(
        self, account: Account, make: Made, trouble: str, lane: str
    ) -> None:
        NEVER[trouble](account.proxy, {})

        with pytest.raises(CannotKeep) as told:
            make().append(LANES[lane])

        assert (told.value.code, told.value.status) == ("journal_failed", 503)
        assert told.value.retry_after_seconds > 0
        assert (len(account.sent()), account.objects("journal/")) == (TRIES, {})

    @pytest.mark.parametrize(("trouble", "lane"), [*QUICK, ("hanging", "object")])
    def test_trouble_that_passes_is_not_told(
        self, account: Account, make: Made, trouble: str, lane: str
    ) -> None:
        NEVER[trouble](account.proxy, {"times": 1})

        make().append(LANES[lane])

        assert (len(account.sent()), kept(account)) == (2, [LANES[lane].body])

    @pytest.mark.parametrize("lane", LANES)
    @pytest.mark.parametrize(
        ("status", "code"), [(400, "AccessDeniedException"), (403, "AccessDenied"), (400, "InvalidArgument")]
    )
    def test_what_will_not_pass_is_not_tried_again(
        self, account: Account, make: Made, lane: str, status: int, code: str
    ) -> None:
        body = f'{{"__type":"{code}"}}' if lane == "record" else f"<Error><Code>{code}</Code></Error>"
        account.proxy.say(status, body)

        with pytest.raises(CannotKeep):
            make().append(LANES[lane])

        assert (len(account.sent()), account.objects("journal/")) == (1, {})

    def test_a_stream_that_is_not_there_is_told(self, account: Account, make: Made) -> None:
        with pytest.raises(CannotKeep):
            make(stream="another").append(EVENT)

    def test_an_answer_without_a_record_id_is_no_acknowledgement(self, account: Account, make: Made) -> None:
        account.proxy.say(200, "{}")

        with pytest.raises(CannotKeep):
            make().append(EVENT)

    def test_where_nobody_listens_it_is_told(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in account.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

        with pytest.raises(CannotKeep):
            make_firehose_journal(account.settings()).append(EVENT)

    def test_without_credentials_it_is_told(
        self, account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        settings = account.settings()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "none"))
        journal = make_firehose_journal(settings)

        for capture in (EVENT, replace(EVENT, body=b"x" * 1_000_001)):
            with pytest.raises(CannotKeep):
                journal.append(capture)

    def test_the_sender_is_told_no_name_of_ours_and_the_log_no_value_of_his(
        self, account: Account, make: Made, caplog: pytest.LogCaptureFixture
    ) -> None:
        account.refuse(400, "AccessDeniedException")

        with pytest.raises(CannotKeep) as told:
            make().append(EVENT)

        assert account.stream not in told.value.message
        assert f"stream {account.stream}: HTTP 400 AccessDeniedException" in caplog.text
        assert "m1" not in caplog.text


class TestAnAnswerThatIsLost:
    def test_of_a_record_costs_a_second_frame_with_the_same_receipt(
        self, account: Account, make: Made
    ) -> None:
        account.proxy.lose_answer(times=1)

        make().append(EVENT)

        first, second = account.frames()
        assert first == second

    def test_of_an_object_costs_nothing(self, account: Account, make: Made) -> None:
        account.proxy.lose_answer(method="PUT", times=1)

        make().append(LARGE)

        assert (len(account.sent()), kept(account)) == (2, [LARGE.body])

    def test_twice_is_told_although_it_was_taken(self, account: Account, make: Made) -> None:
        account.proxy.lose_answer(method="POST", times=2)

        with pytest.raises(CannotKeep):
            make().append(EVENT)

        assert len(account.frames()) == 2

    def test_a_name_that_somebody_else_has_taken_is_not_taken_for_ours(
        self, account: Account, make: Made
    ) -> None:
        make(receipts=lambda: "ab" * 16).append(LARGE)

        with pytest.raises(CannotKeep):
            make(receipts=lambda: "ab" * 16).append(replace(LARGE, body=LARGE.body + b" "))

        assert kept(account) == [LARGE.body]


class TestRefusedBodies:
    def test_one_is_an_object_outside_the_journal(self, account: Account, make: Made) -> None:
        assert make(receipts=lambda: "ab" * 16).keep_refused(UNREADABLE) is True

        [frame] = account.frames("refused/")
        assert list(account.objects()) == ["refused/2026/11/22/" + "ab" * 16]
        assert (frame.body, frame.header["refused"]) == (b"not json", "body_not_json")

    def test_beyond_the_limit_of_a_process_they_are_not_kept(self, account: Account, make: Made) -> None:
        size = len(receipt_frame(UNREADABLE, "0" * 32))
        journal = make(refused_max_bytes=2 * size)

        assert [journal.keep_refused(UNREADABLE) for _ in range(3)] == [True, True, False]
        assert len(account.objects("refused/")) == 2

    def test_those_with_a_write_key_have_a_share_of_it(self, account: Account, make: Made) -> None:
        size, public = len(receipt_frame(UNREADABLE, "0" * 32)), replace(UNREADABLE, public=True)
        journal = make(refused_max_bytes=4 * size, public_share=0.5)

        assert [journal.keep_refused(public) for _ in range(3)] == [True, True, False]
        assert journal.keep_refused(UNREADABLE) is True

    def test_one_that_was_not_kept_takes_no_room(self, account: Account, make: Made) -> None:
        journal = make(refused_max_bytes=len(receipt_frame(UNREADABLE, "0" * 32)))
        account.proxy.answer(403, "AccessDenied", times=1)

        with pytest.raises(CannotKeep):
            journal.keep_refused(UNREADABLE)

        assert journal.keep_refused(UNREADABLE) is True

    def test_the_lanes_are_not_mixed_up(self, make: Made) -> None:
        with pytest.raises(ValueError):
            make().append(UNREADABLE)
        with pytest.raises(ValueError):
            make().keep_refused(EVENT)


class TestReadiness:
    def test_a_new_one_is_ready(self, make: Made) -> None:
        assert make().not_ready() is None

    def test_after_a_failure_it_is_not_until_something_was_kept(self, account: Account, make: Made) -> None:
        journal = make()
        account.refuse(503, "ServiceUnavailableException", times=TRIES)

        with pytest.raises(CannotKeep):
            journal.append(EVENT)
        after_failure = journal.not_ready()
        journal.append(EVENT)

        assert after_failure
        assert journal.not_ready() is None

    def test_or_until_a_while_has_passed(self, account: Account, make: Made) -> None:
        clock = Clock()
        journal = make(monotonic=clock)
        account.refuse(503, "ServiceUnavailableException", times=TRIES)
        with pytest.raises(CannotKeep):
            journal.append(EVENT)

        clock.seconds += 9.9
        assert journal.not_ready()
        clock.seconds += 0.1
        assert journal.not_ready() is None

    def test_a_closed_one_takes_nothing(self, account: Account) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in account.environment.items():
                patch.setenv(name, value)
            journal = make_firehose_journal(account.settings())
        journal.close()
        journal.close()

        with pytest.raises(CannotKeep, match="closed"):
            journal.append(EVENT)
        with pytest.raises(CannotKeep, match="closed"):
            journal.keep_refused(UNREADABLE)
        assert journal.not_ready()
        assert account.sent() == []


class TestFromSettings:
    def test_everything_that_waits_ends_while_the_sender_still_does(self, aws_environment: Account) -> None:
        journal = make_firehose_journal(aws_environment.settings(s3={"read_timeout_seconds": 30}))

        for client in (journal._stream._client, journal._journal.client):
            config = client.meta.config
            assert config.retries["total_max_attempts"] == 1
            assert TRIES * (config.connect_timeout + config.read_timeout) < 4.0

    def test_it_puts_where_the_settings_say(self, aws_environment: Account) -> None:
        account = aws_environment
        aws = account.settings().aws.model_dump() | {"record_bytes": 1_000}
        journal = make_firehose_journal(account.settings(aws=aws))

        for capture in (EVENT, replace(EVENT, body=b"x" * 1_000)):
            journal.append(capture)
        journal.keep_refused(UNREADABLE)

        places = sorted("/".join(name.split("/")[:2]) for name in account.objects())
        assert places == ["journal/direct", "journal/firehose", "refused/2026"]

    def test_without_a_stream_there_is_none(self) -> None:
        with pytest.raises(ConfigError, match="delivery_stream"):
            make_firehose_journal(load_settings())
