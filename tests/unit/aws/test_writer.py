"""The writer Lambda: what it writes, what comes again, and what it counts."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aws_journal import (
    RECEIVED_MS,
    Context,
    Deployment,
    batch,
    deployed,
    failed,
    figures,
    frame,
    joined,
    news,
)
from s3_proxy import S3Proxy
from s3_servers import S3Server
from unit.write.lake_samples import files_below

from connector.aws import writer as function
from connector.aws.notifications import notification
from connector.aws.writer import LEAST_MS, ObjectWriter
from connector.config import load_settings
from connector.errors import ConfigError
from connector.write.folder import host_name

A_MINUTE_LEFT, LESS = LEAST_MS, LEAST_MS - 1


@pytest.fixture
def shop(seaweed: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    with deployed(seaweed, tmp_path, monkeypatch) as deployment:
        yield deployment


def test_an_object_becomes_rows_and_is_counted(shop: Deployment, capsys: pytest.CaptureFixture[str]):
    made = shop.put("firehose/2026/11/27/10/a.gz", joined(frame("m-1", 5), frame("m-2"), frame("m-3", 9)))
    write = shop.writer()
    capsys.readouterr()

    assert failed(write(news(made), Context())) == []

    assert shop.message_ids() == ["m-1", "m-2", "m-3"]
    assert shop.tidy_fates() == {"stored": 3}
    counted = figures(capsys.readouterr().out)
    delay = counted.pop("JournalToTableDelaySeconds")
    assert counted == {
        "CapturedFilesWritten": 1, "EventsReceived": 3, "EventsStored": 3, "EventsRejected": 0
    }  # fmt: skip
    assert delay >= 0, "also when the clock of a receiver was ahead"


def test_the_delay_runs_from_the_first_arrival_to_now(
    shop: Deployment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    made = shop.put("a.gz", joined(frame("m-1", 9_000), frame("m-2", 2_000)))
    plain = shop.put("b.gz", b'{"type":"page","messageId":"m-3","userId":"u"}\n')
    write = shop.writer()
    monkeypatch.setattr(function.time, "time_ns", lambda: (RECEIVED_MS + 92_000) * 1_000_000)
    capsys.readouterr()

    write(news(made), Context())
    assert figures(capsys.readouterr().out)["JournalToTableDelaySeconds"] == 90
    write(news(plain), Context())
    assert figures(capsys.readouterr().out)["JournalToTableDelaySeconds"] == 92, (
        "the time of its notification"
    )


def test_a_message_that_comes_again_changes_nothing(shop: Deployment, capsys: pytest.CaptureFixture[str]):
    made = shop.put("a.gz", joined(frame("m-1")))
    write = shop.writer()
    write(news(made), Context())
    capsys.readouterr()

    assert failed(write(news(made, made), Context())) == []
    assert failed(shop.writer()(news(made), Context())) == []

    assert figures(capsys.readouterr().out) == {}
    assert shop.fates() == {"stored": 1}


def test_what_is_written_costs_one_request_and_nothing_is_listed(
    proxied: tuple[S3Proxy, S3Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    proxy, server = proxied
    with deployed(server, tmp_path, monkeypatch) as shop:
        made = [shop.put(f"{name}.gz", joined(frame(f"m-{name}"))) for name in "ab"]
        shop.writer()(news(made[0]), Context())
        write = shop.writer()
        write(news(made[1]), Context())
        proxy.requests.clear()

        assert failed(write(news(made[0]), Context())) == []
        assert [request.method for request in proxy.requests] == ["GET"]
        proxy.requests.clear()
        assert failed(write(news(*made), Context())) == []
        assert proxy.requests == [], "what this process wrote or saw it remembers"

        write(news(shop.put("c.gz", joined(frame("m-c")))), Context())
        assert not [request for request in proxy.requests if "list-type" in request.path]


def test_what_does_not_fit_into_the_time_left_comes_again(
    shop: Deployment, capsys: pytest.CaptureFixture[str]
):
    made = [shop.put(f"{name}.gz", joined(frame(f"m-{name}"))) for name in "abcd"]
    write = shop.writer()
    capsys.readouterr()

    answer = write(news(*made), Context([A_MINUTE_LEFT + 1, A_MINUTE_LEFT, LESS, LESS - 1]))

    assert failed(answer) == ["m-2", "m-3"]
    assert shop.message_ids() == ["m-a", "m-b"]
    assert "WriterErrors" not in figures(capsys.readouterr().out), "being late is no error"


def test_an_object_that_was_replaced_is_left_to_its_own_news(
    shop: Deployment, capsys: pytest.CaptureFixture[str]
):
    old = shop.put("a.gz", joined(frame("m-old")))
    new = shop.put("a.gz", joined(frame("m-new")))
    write = shop.writer()
    capsys.readouterr()

    assert failed(write(news(old), Context())) == []
    assert figures(capsys.readouterr().out) == {"StaleNotifications": 1}
    write(news(new, old), Context())

    assert shop.message_ids() == ["m-new"]
    assert shop.tidy_fates() == {"stored": 1}


def test_an_object_that_is_gone_unwritten_does_not_vanish_silently(
    shop: Deployment, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    gone = shop.put("a.gz", joined(frame("m-1")))
    shop.remove(gone)
    write = shop.writer()
    capsys.readouterr()

    assert failed(write(news(gone), Context())) == ["m-0"]
    assert figures(capsys.readouterr().out) == {"WriterErrors": 1}
    assert f"s3://{gone.bucket}/{gone.key}: is gone and was never written" in caplog.text


def test_an_object_that_left_after_it_was_written_is_done(shop: Deployment):
    made = shop.put("a.gz", joined(frame("m-1")))
    shop.writer()(news(made), Context())
    shop.remove(made)

    assert failed(shop.writer()(news(made), Context())) == []


def test_an_object_that_cannot_be_mapped_fails_alone(
    shop: Deployment, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    bomb = shop.put("bomb.gz", gzip.compress(b"\0" * 200_000))
    good = [shop.put(f"{name}.gz", joined(frame(f"m-{name}"))) for name in "ab"]
    write = shop.writer(unpacked_max_bytes=100_000)
    capsys.readouterr()

    assert failed(write(news(good[0], bomb, good[1]), Context())) == ["m-1"]
    assert failed(write(news(bomb), Context())) == ["m-0"], "a batch that fails as a whole is no exception"

    assert "100000 bytes once uncompressed" in caplog.text
    assert shop.message_ids() == ["m-a", "m-b"]
    assert figures(capsys.readouterr().out)["WriterErrors"] == 2
    assert shop.tidy_fates() == {"stored": 2}


def test_a_message_that_nobody_understands_fails_alone(shop: Deployment):
    good = shop.put("a.gz", joined(frame("m-1")))
    test_event = '{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"lake"}'

    answer = shop.writer()(batch("what?", test_event, notification(good)), Context())

    assert failed(answer) == ["m-0"]
    assert shop.message_ids() == ["m-1"]


def test_what_comes_before_the_break_of_an_object_is_written_and_its_damage_counted(
    shop: Deployment, capsys: pytest.CaptureFixture[str]
):
    frames = [frame(f"m-{number}", number) for number in range(50)]
    packed = b"".join(gzip.compress(each) for each in frames)
    cut = shop.put("cut.gz", packed[:-20])
    damaged = shop.put(
        "damaged.gz", joined(frame("m-90"), frame("m-91").replace(b"track", b"trick"), frame("m-92"))
    )
    write = shop.writer()
    capsys.readouterr()

    assert failed(write(news(cut, damaged), Context())) == []

    counted = figures(capsys.readouterr().out)
    assert counted["CapturedFilesDamaged"] == 2
    assert shop.message_ids() == sorted([*(f"m-{number}" for number in range(49)), "m-90", "m-92"])
    report = shop.audit()
    assert (report.ok, report.fates["rejected"], report.torn_bytes > 0) == (True, 1, True)


def test_a_delete_notice_without_proof_is_counted(shop: Deployment, capsys: pytest.CaptureFixture[str]):
    from connector.events import Capture
    from connector.journal.frames import receipt_frame

    notice = b'{"type":"delete","messageId":"d-1","userId":"u-1"}'
    unproven = receipt_frame(Capture("web", "webhook", RECEIVED_MS, notice, "none"), "0" * 32)
    write = shop.writer()
    capsys.readouterr()

    write(news(shop.put("a.gz", joined(unproven))), Context())

    counted = figures(capsys.readouterr().out)
    assert (counted["DeleteUnproven"], counted["EventsRejected"]) == (1, 1)


def test_what_a_killed_invocation_left_on_the_disk_is_dropped(shop: Deployment):
    """The environment keeps its disk; the process in the name of the folder is gone."""
    write = shop.writer()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    staging = shop.folder / "journal" / "work" / ".staging"
    for pid, of in ((ended.pid, "a killed process"), (os.getpid(), "this one, forgotten")):
        left = staging / f"{host_name()}-{pid}-0a1b2c3d"
        left.mkdir(parents=True)
        (left / "half").write_text(of)

    write(news(shop.put("a.gz", joined(frame("m-1")))), Context())

    assert files_below(staging, ".") == set()
    assert list(staging.iterdir()) == []


def test_without_a_journal_nobody_starts(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ConfigError, match=r"aws\.journal"):
        ObjectWriter(load_settings())


def test_the_handler_prepares_once_and_until_it_can_every_message_comes_again(
    shop: Deployment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    function.prepared.cache_clear()
    made = shop.put("a.gz", joined(frame("m-1")))
    monkeypatch.setenv("CONNECTOR_DATA", shop.uri("lake"))
    monkeypatch.setenv("CONNECTOR_JOURNAL", str(shop.folder / "journal"))
    monkeypatch.setenv("CONNECTOR_AWS__JOURNAL", shop.uri("journal"))
    monkeypatch.setenv("CONNECTOR_PRIVACY_KEY", "env:NOT_SET")
    capsys.readouterr()
    try:
        assert failed(function.handler(news(made, made), Context())) == ["m-0", "m-1"]
        assert figures(capsys.readouterr().out) == {"WriterErrors": 2}

        monkeypatch.setenv("NOT_SET", "a key that was late, and is long enough by far")
        assert failed(function.handler(news(made), Context())) == []
        assert function.prepared() is function.prepared()
    finally:
        function.prepared.cache_clear()
    assert shop.message_ids() == ["m-1"]
