"""Captured files that are torn, damaged or too large: everything before and beside the damage is read."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest
from captured_samples import FILE, PAGE, VIEWED, frames, opener, read

from connector.journal.content import CapturedFileTooLarge
from connector.journal.reader import open_captured


@pytest.fixture
def opened(tmp_path):
    return opener(tmp_path)


def test_a_torn_tail_is_counted_and_no_event(opened):
    text = frames((VIEWED, "all"), (PAGE, "all"))

    file = opened(text[:-10])

    assert [c.event["type"] for c in read(file)] == ["track"]
    assert (file.torn_bytes, file.corrupt_bytes) == (len(text) - 10 - len(frames((VIEWED, "all"))), 0)


def test_a_damaged_region_is_one_record_with_its_bytes(opened):
    text = frames((VIEWED, "all"), (b'{"damaged":1}', "all"), (PAGE, "all")).replace(b"damaged", b"dXmaged")
    start, end = len(frames((VIEWED, "all"))), len(text) - len(frames((PAGE, "all")))

    file = opened(text)
    events = read(file)

    assert [c.error for c in events] == [None, "journal_corrupt", None]
    assert events[1].raw() == text[start:end]
    assert events[1].place == f"offset {start}, {end - start} bytes"
    assert (file.corrupt_bytes, file.torn_bytes, file.missing_seq) == (end - start, 0, 0)


def test_a_file_of_ours_with_a_damaged_beginning_is_still_frames(opened):
    text = frames((VIEWED, "all"), (PAGE, "all"))

    events = read(opened(b"[" + text[1:], FILE))

    assert [(c.captured_file, c.error) for c in events] == [(FILE, "journal_corrupt"), (FILE, None)]


def test_lost_frames_are_counted(opened):
    text = frames((VIEWED, "all"), (PAGE, "all"))

    file = opened(text[len(frames((VIEWED, "all"))) :])

    assert [c.event["type"] for c in read(file)] == ["page"]
    assert file.missing_seq == 1


def test_a_gzip_file_that_breaks_off_gives_everything_before_the_break(opened):
    lines = b"".join(
        b'{"n":%d,"x":"%b"}\n' % (n, hashlib.sha256(b"%d" % n).hexdigest().encode()) for n in range(200)
    )
    packed = gzip.compress(lines)

    for end in range(11, len(packed), 97):
        file = opened(packed[:end])
        events = read(file)
        assert file.torn_bytes > 0
        assert [c.event["n"] for c in events[:-1]] == list(range(len(events) - 1))
        assert not events or events[-1].error in (None, "truncated")
        kept = b"\n".join(c.raw() for c in events)
        assert lines.startswith(kept)


def test_a_damaged_gzip_file_gives_everything_before_the_damage(opened):
    packed = bytearray(gzip.compress(VIEWED + b"\n", mtime=0) + gzip.compress(PAGE + b"\n", mtime=0))
    second = len(gzip.compress(VIEWED + b"\n", mtime=0))
    packed[second + 10] ^= 0xFF

    file = opened(bytes(packed))

    assert next(c.event for c in read(file)) == json.loads(VIEWED)
    assert file.torn_bytes > 0


def test_padding_behind_gzip_is_nothing_and_garbage_is_torn(opened):
    packed = gzip.compress(VIEWED + b"\n")

    padded, spoilt = opened(packed + b"\0" * 100), opened(packed + b"\0\0garbage")

    assert (len(read(padded)), padded.torn_bytes) == (1, 0)
    assert (len(read(spoilt)), spoilt.torn_bytes) == (1, 7)


def test_a_large_gzip_file_is_spooled_to_disk_and_a_bomb_is_refused(tmp_path):
    line = b'{"type":"track","x":"%b"}\n' % (b"a" * 1000)
    path = tmp_path / "large.gz"
    path.write_bytes(gzip.compress(line * 12_000, 1))

    file = open_captured(path, spool_folder=tmp_path)

    assert file.identity == (
        f"h-{file.identity.sha256[:32]}",
        "content",
        len(line) * 12_000,
        file.identity.sha256,
    )
    assert sum(1 for part in file.parts() for _ in part) == 12_000
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(CapturedFileTooLarge, match="1000 bytes"):
        open_captured(path, max_uncompressed_bytes=1000)
