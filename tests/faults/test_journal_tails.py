"""
The un-synced end of a journal file after a power loss, cut or damaged at every byte (C4, C5), and damage
where none can come from a crash.

The law: what was acknowledged is read whole and in order. An end that was never finished is no event and no
alarm. A last frame that is finished and damaged could have been acknowledged: it is one rejected record with
all its bytes, and so is damage anywhere else; the frames behind it are read.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from faults.results import note

from connector.config import load_settings
from connector.events import Capture
from connector.journal.folders import JournalFolders
from connector.journal.frames import frame_header
from connector.journal.reader import open_captured
from connector.rounds import Writer
from connector.wiring import configure
from connector.write.audit import audit
from connector.write.ledger import fold

NAME = "20261121T215204123Z-web1-4711-7f3a9c21"
FIRST, SECOND = b'{"type":"page","messageId":"m-1"}', b'{"type":"page",\n"messageId":"m-2"}'
TORN = b'{"type":"page","messageId":"m-3"}'


def frame(seq: int, body: bytes) -> bytes:
    capture = Capture("web", "webhook", 1_795_297_924_123, body, "all")
    return frame_header(capture, NAME, seq) + body + b"\n"


SYNCED = frame(0, FIRST) + frame(1, SECOND)
TAIL = frame(2, TORN)
Damage = Callable[[bytes, int], bytes]
UNFINISHED: dict[str, Damage] = {
    "cut": lambda frame, at: frame[:at],
    "zeros from there on": lambda frame, at: frame[:at] + bytes(len(frame) - at),
    "garbage from there on": lambda frame, at: frame[:at] + bytes(255 - each for each in frame[at:]),
}
FINISHED: dict[str, Damage] = {
    "one byte turned over": lambda frame, at: frame[:at] + bytes([frame[at] ^ 0xFF]) + frame[at + 1 :],
    "a hole": lambda frame, at: (frame[:at] + bytes(8))[: len(frame)] + frame[at + 8 :],
}


def whole_but_for_its_newline(at: int, tail: bytes) -> bool:
    """The newline behind a record is checked by nothing: what it ends is whole, and may be stored."""
    return at == len(TAIL) - 1 == len(tail) - 1


def left_open(journal: Path, content: bytes) -> JournalFolders:
    """As a power loss leaves it: under its open name, with nobody's lock on it."""
    folders = JournalFolders(journal)
    folders.make()
    (folders.open / f"{NAME}.open").write_bytes(content)
    return folders


class Read(NamedTuple):
    bodies: list[bytes]
    damaged: list[bytes]
    """Bytes of records that are rejected as ``journal_corrupt``."""
    torn_bytes: int


def read(path: Path) -> Read:
    file = open_captured(path, of_journal=True)
    events = [each for part in file.parts() for each in part]
    damaged = [each.raw() for each in events if each.error == "journal_corrupt"]
    bodies = [each.raw() for each in events if each.error is None]
    assert len(bodies) + len(damaged) == len(events)
    assert file.corrupt_bytes == sum(map(len, damaged))
    return Read(bodies, damaged, file.torn_bytes)


@pytest.mark.parametrize("how", UNFINISHED)
def test_an_unfinished_tail_is_no_event_and_no_alarm_at_every_byte(tmp_path: Path, how: str):
    path = tmp_path / NAME
    for at in range(len(TAIL)):
        tail = UNFINISHED[how](TAIL, at)
        path.write_bytes(SYNCED + tail)

        if whole_but_for_its_newline(at, tail):
            assert read(path) == Read([FIRST, SECOND, TORN], [], 0)
        else:
            assert read(path) == Read([FIRST, SECOND], [], len(tail)), at
    note("journal tails", damage=how, bytes_tried=len(TAIL), acknowledged_lost=0)


@pytest.mark.parametrize("how", FINISHED)
def test_a_damaged_last_frame_is_torn_or_kept_whole_at_every_byte(tmp_path: Path, how: str):
    path = tmp_path / NAME
    for at in range(len(TAIL)):
        tail = FINISHED[how](TAIL, at)
        path.write_bytes(SYNCED + tail)

        found = read(path)

        if whole_but_for_its_newline(at, tail):
            assert found == Read([FIRST, SECOND, TORN], [], 0)
        else:
            assert found in (Read([FIRST, SECOND], [], len(tail)), Read([FIRST, SECOND], [tail], 0)), at
    note("journal tails", damage=how, bytes_tried=len(TAIL), acknowledged_lost=0)


@pytest.mark.parametrize("how", {**FINISHED, **UNFINISHED})
def test_damage_before_the_last_frame_costs_that_frame_alone_at_every_byte(tmp_path: Path, how: str):
    """A write-back may lose a page and keep the next one; of frames that are acknowledged it loses none."""
    path = tmp_path / NAME
    middle = frame(1, SECOND)
    for at in range(len(middle)):
        damaged = {**FINISHED, **UNFINISHED}[how](middle, at)
        path.write_bytes(frame(0, FIRST) + damaged + TAIL)

        found = read(path)

        if damaged.endswith(b"\n"):
            assert found == Read([FIRST, TORN], [damaged], 0), at
        else:
            assert found.bodies[0] == FIRST, at
            assert b"".join(found.damaged) in damaged + TAIL, at


@pytest.mark.parametrize("how", UNFINISHED)
def test_of_an_unfinished_tail_the_ledger_knows_and_the_audit_does_not_complain(tmp_path: Path, how: str):
    settings = load_settings(data=str(tmp_path / "data"))
    tail = UNFINISHED[how](TAIL, len(TAIL) // 2)
    folders = left_open(settings.journal_path, SYNCED + tail)

    written = Writer(settings, configure(settings)).write_journal()

    assert (written.files, written.events, written.failed) == (1, 2, [])
    report = audit(
        settings.data_path, journal_closed=folders.closed, now_ms=1_795_297_925_000, deep=True,
        pause=lambda: None,
    )  # fmt: skip
    assert (report.findings, report.fates["stored"]) == ((), 2)
    assert fold(settings.data_path).records[NAME].torn_bytes == len(tail)
    assert list(folders.open.iterdir()) == list(folders.closed.iterdir()) == []
