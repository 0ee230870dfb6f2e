"""The writer of ``connector serve`` when the store, a record or the credentials are not as they should be."""

from __future__ import annotations

import gzip
import logging
import os
from collections import Counter
from pathlib import Path

import pytest
import s3_proxy
from prometheus_client import CollectorRegistry
from s3_proxy import S3Proxy
from s3_servers import S3Server

from connector.config import Settings, load_settings
from connector.errors import StoreError
from connector.events import Capture
from connector.journal.folders import JournalFolders, new_name
from connector.journal.frames import frame_header
from connector.rounds import Writer
from connector.s3.config import S3Place
from connector.wiring import configure
from connector.write.object_ledger import INTENTS, record_name
from connector.writer import Rounds, Tidying

RECEIVED_MS = 1_795_773_600_000
LONG_AGO = 1_767_225_600


def journal_file(folders: JournalFolders, message_id: str, copies: int = 1) -> str:
    """A closed file of ``copies`` events."""
    folders.make()
    name = new_name(RECEIVED_MS)
    body = b'{"type":"track","event":"Product Viewed","messageId":"%b","userId":"u"}' % message_id.encode()
    capture = Capture("web", "webhook", RECEIVED_MS, body, "all")
    frames = (frame_header(capture, name, seq) + body + b"\n" for seq in range(copies))
    (folders.closed / name).write_bytes(b"".join(frames))
    return name


@pytest.fixture
def folders(tmp_path: Path) -> JournalFolders:
    return JournalFolders(tmp_path / "journal")


@pytest.fixture
def place(proxied: tuple[S3Proxy, S3Server]) -> S3Place:
    return proxied[1].place()


@pytest.fixture
def settings(
    tmp_path: Path, proxied: tuple[S3Proxy, S3Server], place: S3Place, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Tables in S3 behind the proxy."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "CONNECTOR_"))]:
        monkeypatch.delenv(name)
    for name, value in proxied[1].environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CONNECTOR_S3__ATTEMPTS", "1")
    return load_settings(data=place.uri, journal=str(tmp_path / "journal"), publish_seconds=2.0)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_while_the_store_refuses_rounds_come_further_apart_and_it_is_said_once(
    proxied: tuple[S3Proxy, S3Server], settings: Settings, folders: JournalFolders, caplog
):
    proxy, _ = proxied
    journal_file(folders, "m1")
    rounds = Rounds(settings, CollectorRegistry())
    proxy.answer(503, "SlowDown", needle="/tables/")

    assert [rounds.next() for _ in range(7)] == [2, 4, 8, 16, 32, 60, 60]
    assert len(warnings(caplog)) == 1

    proxy.clear()
    assert rounds.next() == 2
    assert folders.waiting() == []


def test_a_store_that_refuses_outputs_gathers_no_intents(
    proxied: tuple[S3Proxy, S3Server], settings: Settings, place: S3Place, folders: JournalFolders
):
    proxy, server = proxied
    journal_file(folders, "m1")
    rounds = Rounds(settings, CollectorRegistry())
    proxy.answer(403, "AccessDenied", method="PUT", needle="/tables/")

    for _ in range(3):
        rounds.next()

    store = server.store(place)
    assert list(store.find(INTENTS)) == list(store.find("tables/")) == []


def test_credentials_that_are_renewed_in_their_file_are_taken_by_the_next_round(
    proxied: tuple[S3Proxy, S3Server],
    settings: Settings,
    folders: JournalFolders,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    proxy, _ = proxied
    shared, expired = tmp_path / "credentials", set[str]()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(shared))

    def renew(key: str) -> None:
        shared.write_text(f"[default]\naws_access_key_id={key}\naws_secret_access_key=x\n")

    def refuse_the_expired(request: s3_proxy.Request):
        if any(key in request.headers.get("authorization", "") for key in expired):
            body = b"<?xml version='1.0'?><Error><Code>ExpiredToken</Code><Message>m</Message></Error>"
            answer = s3_proxy.Answer(400, [("Content-Type", "application/xml")], body)
            return lambda handler, _: handler.give(answer)
        return pass_on(request)

    pass_on = proxy.next_act
    monkeypatch.setattr(proxy, "next_act", refuse_the_expired)
    renew("AKIATHEFIRST")
    journal_file(folders, "m1")
    rounds = Rounds(settings, CollectorRegistry())
    rounds.next()
    assert folders.waiting() == []

    journal_file(folders, "m2")
    expired.add("AKIATHEFIRST")
    renew("AKIATHESECOND")
    rounds.next()
    assert len(folders.waiting()) == 1
    rounds.next()

    assert folders.waiting() == []


def test_a_damaged_record_keeps_its_own_file_waiting_and_no_other(
    proxied: tuple[S3Proxy, S3Server], settings: Settings, place: S3Place, folders: JournalFolders, caplog
):
    damaged, *_ = [journal_file(folders, f"m{number}") for number in range(3)]
    proxied[1].store(place).put(record_name(damaged), b"")
    writer = Writer(settings, configure_beside(settings, proxied[1], place, damaged))

    first, again = writer.write_journal(), writer.write_journal()

    assert (first.files, [each.path.name for each in first.failed]) == (2, [damaged])
    assert (again.files, again.failed, folders.waiting()) == (0, [], [damaged])
    (said,) = warnings(caplog)
    assert damaged in said
    assert "is unreadable" in said


def configure_beside(settings: Settings, server: S3Server, place: S3Place, damaged: str):
    """What the settings say, of a data folder whose key was made before the ledger was damaged."""
    store = server.store(place)
    content = store.read(record_name(damaged))
    store.delete([record_name(damaged)])
    configured = configure(settings)
    store.put(record_name(damaged), content or b"")
    return configured


@pytest.mark.parametrize("where", ["disk", "store"])
def test_a_file_with_more_in_it_than_its_record_says_stays_and_is_said_once(
    where: str, settings: Settings, folders: JournalFolders, tmp_path: Path, caplog
):
    """A copy was replayed that had been taken while the file was written."""
    if where == "disk":
        settings = load_settings(data=str(tmp_path / "data"), journal=str(folders.root))
    name = journal_file(folders, "m1", copies=2)
    whole = (folders.closed / name).read_bytes()
    (folders.closed / name).write_bytes(whole[: len(whole) // 2])
    writer = Writer(settings, configure(settings))
    assert writer.write_journal().files == 1
    (folders.closed / name).write_bytes(whole)
    journal_file(folders, "m2")

    rounds = [writer.write_journal() for _ in range(3)]

    assert [written.files for written in rounds] == [1, 0, 0]
    assert [len(written.failed) for written in rounds] == [1, 0, 0]
    assert folders.waiting() == [name]
    (said,) = warnings(caplog)
    assert said == f"{name} stays in the journal: the ledger has other bytes under its name"


def test_waiting_files_are_asked_for_by_name_and_once(
    proxied: tuple[S3Proxy, S3Server], settings: Settings, folders: JournalFolders
):
    proxy, _ = proxied
    for number in range(3):
        journal_file(folders, f"m{number}")
    writer = Writer(settings, configure(settings))
    proxy.requests.clear()

    assert writer.write_journal().files == 3

    assert not [request for request in proxy.requests if "list-type" in request.path]
    records = Counter(request.method for request in proxy.requests if "/ledger/files/" in request.path)
    assert records == {"GET": 6, "PUT": 3}, "before it is mapped, and before it is published"
    proxy.requests.clear()
    writer.write_journal()
    assert proxy.requests == []


def retired(folders: JournalFolders, name: str) -> Path:
    path = folders.done / "2026-01-01" / f"{name}.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(b"x"))
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def old_names(count: int) -> list[str]:
    return [f"20260101T000000000Z-web-1-{number:08x}" for number in range(count)]


def test_retention_asks_for_every_file_once_and_keeps_what_the_ledger_does_not_have(
    tmp_path: Path, folders: JournalFolders, caplog
):
    names = old_names(5)
    paths = [retired(folders, name) for name in names]
    asked: list[list[str]] = []

    def recorded(wanted) -> set[str]:
        asked.append(sorted(wanted))
        return set(names[:2])

    tidying = Tidying(load_settings(data=str(tmp_path / "data"), journal=str(folders.root)))
    for _ in range(3):
        tidying.retain(recorded)

    assert [path.exists() for path in paths] == [False, False, True, True, True]
    assert asked == [names]
    (said,) = warnings(caplog)
    assert said.startswith("3 journal files in done/")
    assert names[2] in said


def test_the_last_copy_does_not_go_on_the_word_of_a_memory(
    proxied: tuple[S3Proxy, S3Server], settings: Settings, place: S3Place, folders: JournalFolders
):
    """The bucket was emptied behind our back: what the publisher remembers is no proof."""
    name = journal_file(folders, "m1")
    writer = Writer(settings, configure(settings))
    writer.write_journal()
    (path,) = folders.done.rglob("*.gz")
    store = proxied[1].store(place)
    assert writer.recorded([name]) == {name}

    store.delete([info.name for info in store.find("")])

    assert writer.recorded([name]) == set()
    assert path.exists()


def test_a_sweep_that_fails_does_not_stop_retention(
    proxied: tuple[S3Proxy, S3Server], settings: Settings, folders: JournalFolders, caplog
):
    name = journal_file(folders, "m1")
    writer = Writer(settings, configure(settings))
    writer.write_journal()
    proxied[0].answer(503, "SlowDown", needle="intents")

    writer.sweep()

    assert writer.recorded([name]) == {name}
    (said,) = warnings(caplog)
    assert "stays for now" in said


def test_a_replay_sweeps_when_it_is_done_and_a_round_does_not(
    proxied: tuple[S3Proxy, S3Server], settings: Settings, folders: JournalFolders, tmp_path: Path
):
    from connector.journal.places import FilePlace

    proxy, _ = proxied
    writer = Writer(settings, configure(settings))
    path = tmp_path / "events.ndjson"
    path.write_bytes(b'{"type":"page","messageId":"m-9","userId":"u"}\n')
    proxy.requests.clear()

    writer.write([FilePlace(path)])
    swept = [
        request for request in proxy.requests if "list-type" in request.path and "intents" in request.path
    ]
    proxy.requests.clear()
    journal_file(folders, "m1")
    writer.write_journal()

    assert len(swept) == 1
    assert not [
        request for request in proxy.requests if "intents" in request.path and request.method == "GET"
    ]


def test_a_store_out_of_reach_stops_retention_and_nothing_is_removed(tmp_path: Path, folders: JournalFolders):
    path = retired(folders, old_names(1)[0])

    def recorded(_) -> set[str]:
        raise StoreError("no answer")

    tidying = Tidying(load_settings(data=str(tmp_path / "data"), journal=str(folders.root)))
    with pytest.raises(StoreError):
        tidying.retain(recorded)

    assert path.exists()
