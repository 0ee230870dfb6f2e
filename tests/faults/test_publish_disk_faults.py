"""
A disk that fails while captured files are written to the tables: each call, once or for good (C8, C14-C17).

The law: what fails is an ``OSError`` that a round survives; the captured file stays in the journal until it
is in the ledger; the next round, with a disk that works, leaves each event exactly once.
"""

from __future__ import annotations

import errno
import gc
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.results import note

from connector.config import Settings, load_settings
from connector.events import Capture
from connector.journal.folders import JournalFolders
from connector.journal.limits import JournalLimits
from connector.journal.writer import JournalWriter
from connector.rounds import Writer
from connector.wiring import configure
from connector.write.audit import audit

EVENTS = 3
FAULTS = [
    ("fsync", "EIO"), ("fsync", "ENOSPC"), ("fdatasync", "EIO"), ("link", "ENOSPC"), ("link", "EROFS"),
    ("rename", "ENOSPC"), ("rename", "EROFS"), ("unlink", "EROFS"), ("mkdir", "ENOSPC"), ("mkdir", "EROFS"),
]  # fmt: skip
"""Functions of ``os``, which ``pathlib`` calls for its own methods, and their errors."""
MOST_CALLS = 60


class Failing:
    """In the place of a function: lets calls through until the n-th, which fails, once or from then on."""

    def __init__(self, real: Callable[..., object], number: int, error: int, *, for_good: bool) -> None:
        self._real, self._number, self._error, self._for_good = real, number, error, for_good
        self.calls = 0

    def __call__(self, *arguments: object, **options: object) -> object:
        self.calls += 1
        if self.calls == self._number or (self._for_good and self.calls > self._number):
            raise OSError(self._error, os.strerror(self._error))
        return self._real(*arguments, **options)


def receive(settings: Settings) -> None:
    """A captured file with stored and rejected events."""
    journal = JournalWriter(settings.journal_path, JournalLimits(journal_reserve_bytes=0))
    for number in range(EVENTS):
        body = b'{"type":"page","messageId":"m-%d","userId":"u"}' % number
        journal.append(Capture("web", "webhook", 1_795_297_924_123, body, "all"))
    journal.append(Capture("web", "webhook", 1_795_297_924_123, b'{"cart_id":1}', "all"))
    journal.close()


def exactly_once(settings: Settings) -> None:
    folders = JournalFolders(settings.journal_path)
    report = audit(
        settings.data_path, journal_closed=folders.closed, now_ms=1_795_297_925_000, deep=True,
        pause=lambda: None,
    )  # fmt: skip
    assert report.findings == ()
    assert (report.fates["stored"], report.fates["rejected"]) == (EVENTS, 1)
    assert folders.waiting() == []
    assert list((settings.data_path / ".staging").iterdir()) == []


@pytest.mark.usefixtures("little_to_collect")
@pytest.mark.parametrize(("call", "error"), FAULTS, ids=map(" ".join, FAULTS))
@pytest.mark.parametrize("for_good", [False, True], ids=["once", "until mended"])
def test_whichever_call_fails_the_next_round_leaves_each_event_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: str, for_good: bool
):
    number = getattr(errno, error)
    configured = configure(load_settings(data=str(tmp_path / "any")))
    for moment in range(1, MOST_CALLS):
        settings = load_settings(data=str(tmp_path / str(moment)))
        receive(settings)
        failing = Failing(getattr(os, call), moment, number, for_good=for_good)
        with monkeypatch.context() as broken:
            broken.setattr(os, call, failing)
            assert attempt(Writer(settings, configured)) in (None, number), moment
        Writer(settings, configured).write_journal()
        exactly_once(settings)
        if failing.calls < moment:
            break
    assert failing.calls < moment, "every call was the one that failed"
    what = "until mended" if for_good else "once"
    note("a disk that fails under the writer", call=call, error=error, duration=what, moments=moment - 1)


def attempt(writer: Writer) -> int | None:
    """The error of a round; None when it got through, as when what failed could wait."""
    failed = None
    try:
        writer.write_journal()
    except OSError as refused:
        failed = refused.errno
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ResourceWarning
        )  # files of an unfinished mapping end with their owner
        gc.collect()
    return failed
