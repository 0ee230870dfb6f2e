"""Laws of the journal: bodies in, the same bodies out; damage is never taken for an event and hides none."""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.events import Capture
from connector.journal.frames import Damage, Frame, FrameScan, frame_header
from connector.journal.limits import JournalLimits
from connector.journal.reader import open_captured
from connector.journal.writer import JournalWriter

FILE = "20261121T215204123Z-web1-4711-7f3a9c21"
texts = st.none() | st.text(max_size=300)
bodies = st.binary(max_size=200) | st.sampled_from(
    [b"{}", b"\n", b'\n{"capture":1,"file":"' + FILE.encode() + b'"']
)
captures = st.builds(
    Capture,
    source=st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True),
    route=st.sampled_from(["webhook", "batch"]),
    received_at_ms=st.integers(-(2**40), 2**45),
    body=bodies,
    proven=st.sampled_from(["all", "first", "none"]),
    key=st.none() | st.integers(0, 9),
    content_type=texts,
    content_encoding=texts,
)
events = st.lists(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.booleans(), max_size=4),
    max_size=6,
)


def journal(items) -> bytes:
    return b"".join(frame_header(item, FILE, seq) + item.body + b"\n" for seq, item in enumerate(items))


@settings(max_examples=100, deadline=None)
@given(st.lists(captures, max_size=6))
def test_whatever_comes_in_comes_out_the_same(items):
    text = journal(items)
    scan = FrameScan(text)

    frames = list(scan)

    assert [text[frame.body_start : frame.body_end] for frame in frames] == [item.body for item in items]
    for frame, item in zip(frames, items, strict=True):
        kept = frame.header
        assert (kept["source"], kept["received_at_ms"], kept["proven"]) == (
            item.source,
            item.received_at_ms,
            item.proven,
        )
        assert kept.get("key") == item.key
    assert (scan.torn_bytes, scan.corrupt_bytes, scan.missing_seq) == (0, 0, 0)


@settings(max_examples=200, deadline=None)
@given(st.lists(captures, min_size=1, max_size=5), st.data())
def test_one_changed_byte_makes_no_wrong_frame_and_hides_no_other(items, data):
    text = bytearray(journal(items))
    offset = data.draw(st.integers(0, len(text) - 1))
    text[offset] ^= data.draw(st.integers(1, 255))
    starts = [len(journal(items[:seq])) for seq in range(len(items) + 1)]
    hit = max(seq for seq in range(len(items)) if starts[seq] <= offset)

    scan = FrameScan(bytes(text), hint=FILE)
    found = list(scan)

    good = {
        frame.header["seq"]: bytes(text[frame.body_start : frame.body_end])
        for frame in found
        if isinstance(frame, Frame)
    }
    assert all(good[seq] == items[seq].body for seq in good)
    assert set(range(len(items))) - set(good) <= {hit}
    covered = sum((item.end - item[1 if isinstance(item, Frame) else 0]) for item in found) + scan.torn_bytes
    assert covered == len(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(captures, min_size=2, max_size=5), st.data())
def test_bytes_that_vanish_or_appear_cost_only_the_frames_they_touch(items, data):
    text = journal(items)
    starts = [len(journal(items[:seq])) for seq in range(len(items))]
    first = data.draw(st.integers(0, len(text) - 1))
    last = data.draw(st.integers(first, min(len(text), first + 400)))
    spoilt = text[:first] + data.draw(st.binary(max_size=20)) + text[last:]

    scan = FrameScan(spoilt, hint=FILE)
    found = {f.header["seq"]: spoilt[f.body_start : f.body_end] for f in scan if isinstance(f, Frame)}

    assert all(found[seq] == items[seq].body for seq in found)
    untouched = {
        seq
        for seq, start in enumerate(starts)
        if start + len(journal_frame(items, seq)) <= first or start > last
    }
    assert untouched <= set(found)


def journal_frame(items, seq) -> bytes:
    return frame_header(items[seq], FILE, seq) + items[seq].body + b"\n"


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_at_all_are_read_without_an_exception_and_accounted_for(text):
    scan = FrameScan(b'{"capture":1' + text)

    damages = [found for found in scan if isinstance(found, Damage)]

    assert sum(damage.end - damage.start for damage in damages) + scan.torn_bytes == len(text) + 12


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=100), min_size=1, max_size=8), st.integers(100, 2000))
def test_what_the_writer_keeps_the_reader_gives_back_across_files(items, roll_bytes):
    with tempfile.TemporaryDirectory() as folder:
        writer = JournalWriter(Path(folder), JournalLimits(journal_reserve_bytes=0, roll_bytes=roll_bytes))
        for body in items:
            writer.append(Capture("shop", "webhook", 1, b'["%b"]' % body.hex().encode(), "all"))
        writer.close()

        found = []
        for path in sorted((Path(folder) / "closed").iterdir(), key=lambda path: path.stat().st_mtime_ns):
            found += [c.event for part in open_captured(path).parts() for c in part]

    assert sorted(found) == sorted(body.hex() for body in items)


@settings(max_examples=60, deadline=None)
@given(events, st.integers(1, 200))
def test_the_same_events_are_read_from_every_format_and_in_parts_of_any_size(items, part_bytes):
    lines = [json.dumps(item).encode() for item in items]
    ndjson, array = b"\n".join(lines), b"[" + b",".join(lines) + b"]"
    frame = frame_header(Capture("shop", "webhook", 1, array, "all"), FILE, 0) + array + b"\n"
    with tempfile.TemporaryDirectory() as folder:
        for text in (ndjson, array, frame, gzip.compress(ndjson), gzip.compress(frame)):
            path = Path(folder) / "captured"
            path.write_bytes(text)
            file = open_captured(path, part_bytes=part_bytes)
            found = [captured for part in file.parts() for captured in part]
            assert [(c.event, c.raw(), c.captured_index) for c in found] == [
                (item, line, index) for index, (item, line) in enumerate(zip(items, lines, strict=True))
            ]


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300))
def test_any_file_at_all_is_read_and_no_byte_of_a_line_is_dropped(text):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "captured"
        path.write_bytes(b"x" + text)
        found = [captured for part in open_captured(path).parts() for captured in part]

    assert [c.raw() for c in found] == [line for line in (b"x" + text).split(b"\n") if line.strip(b" \t\r\n")]
