"""The frame: its bytes, and what of a damaged file is still read."""

from __future__ import annotations

import json
import zlib

import pytest

from connector.events import Capture
from connector.journal.frames import Damage, Frame, FrameScan, frame_header

FILE = "20261121T215204123Z-web1-4711-7f3a9c21"


def capture(body: bytes = b'{"type":"track"}', **fields) -> Capture:
    return Capture(
        **{
            "source": "shop",
            "route": "webhook",
            "received_at_ms": 1795297924123,
            "body": body,
            "proven": "all",
        }
        | fields
    )


def frame(body: bytes, seq: int, file: str = FILE, **fields) -> bytes:
    return frame_header(capture(body, **fields), file, seq) + body + b"\n"


def journal(*bodies: bytes) -> bytes:
    return b"".join(frame(body, seq) for seq, body in enumerate(bodies))


def read(text: bytes) -> tuple[list[bytes | tuple[int, int]], FrameScan]:
    """Return bodies and damages in order, and the scan."""
    scan = FrameScan(text)
    found = [text[f.body_start : f.body_end] if isinstance(f, Frame) else tuple(f) for f in scan]
    return found, scan


def test_a_frame_is_a_header_line_the_body_and_a_newline():
    body = b'{"type":"track"}\n'

    header = frame_header(capture(body, content_type="application/json", key=0), FILE, 77)

    sealed = (
        b'{"capture":1,"file":"%b","seq":77,"received_at_ms":1795297924123,"source":"shop","route":"webhook",'
        b'"content_type":"application/json","proven":"all","key":0,"bytes":17,' % FILE.encode()
    )
    assert header == sealed + b'"crc32":"%08x"}\n' % zlib.crc32(sealed + body)


def test_fields_that_are_absent_are_left_out_and_all_others_keep_their_order():
    assert list(json.loads(frame_header(capture(), FILE, 0))) == [
        "capture", "file", "seq", "received_at_ms", "source", "route", "proven", "bytes", "crc32",
    ]  # fmt: skip
    full = capture(content_type="a/b", content_encoding="gzip", key=1, refused="body_not_json")
    assert list(json.loads(frame_header(full, FILE, 0))) == [
        "capture", "file", "seq", "received_at_ms", "source", "route", "content_type", "content_encoding",
        "proven", "key", "refused", "bytes", "crc32",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "hostile", ['x"crc32":"00000000"}\n{"capture":1,', "\r\n\x00", "ü\ud800", "x" * 100_000]
)
def test_texts_of_the_sender_cannot_break_the_line(hostile):
    text = frame(b"{}", 0, content_type=hostile, content_encoding=hostile) + frame(b"[]", 1)

    found, scan = read(text)

    assert found == [b"{}", b"[]"]
    assert text.count(b"\n") == 4
    assert scan.corrupt_bytes == 0


def test_bodies_come_back_byte_for_byte_also_with_newlines_and_text_like_frames():
    bodies = [b"", b"\n\n", b"\x00\xff", journal(b"{}"), b'\n{"capture":1,"file":"%b"' % FILE.encode()]

    found, scan = read(journal(*bodies))

    assert found == bodies
    assert (scan.file, scan.torn_bytes, scan.corrupt_bytes, scan.missing_seq) == (FILE, 0, 0, 0)


def test_an_unfinished_last_frame_is_torn_at_whatever_byte_it_ends():
    text = journal(b'{"a":1}', b'{"b":\n2}')
    whole = len(journal(b'{"a":1}'))

    for end in range(whole, len(text)):
        found, scan = read(text[:end])
        assert found == [b'{"a":1}']
        assert (scan.torn_bytes, scan.corrupt_bytes) == (end - whole, 0)


def test_a_file_that_holds_nothing_but_the_beginning_of_a_frame_is_torn():
    for end in range(len(journal(b"{}"))):
        found, scan = read(journal(b"{}")[:end])
        assert found == []
        assert scan.torn_bytes == end


def test_damage_in_the_middle_is_skipped_and_the_frames_behind_it_are_found():
    text = journal(b"{}", b'{"damaged":1}', b"[]")
    start, end = len(journal(b"{}")), len(journal(b"{}", b'{"damaged":1}'))

    found, scan = read(text.replace(b"damaged", b"dXmaged"))

    assert found == [b"{}", (start, end), b"[]"]
    assert (scan.torn_bytes, scan.corrupt_bytes, scan.missing_seq) == (0, end - start, 0)


def test_a_whole_last_frame_with_a_wrong_crc_is_damage_not_a_torn_tail():
    text = journal(b"{}", b'{"damaged":1}')

    found, scan = read(text.replace(b"damaged", b"dXmaged"))

    assert found == [b"{}", (len(journal(b"{}")), len(text))]
    assert scan.torn_bytes == 0


def test_a_header_that_claims_more_bytes_than_there_are_hides_no_later_frame():
    text = journal(b"{}", b"[1]", b"[2]")

    found, _ = read(text.replace(b'"bytes":3,', b'"bytes":9999,', 1))

    assert [found[0], found[2]] == [b"{}", b"[2]"]


def test_a_frame_of_another_file_is_damage():
    stranger = frame(b"[9]", 1, file="20261121T215204123Z-web2-1-00000000")
    text = frame(b"{}", 0) + stranger + frame(b"[]", 1)

    found, _ = read(text)

    assert found == [b"{}", (len(frame(b"{}", 0)), len(frame(b"{}", 0)) + len(stranger)), b"[]"]


def test_a_frame_that_comes_a_second_time_is_damage():
    found, _ = read(frame(b"{}", 0) + frame(b"{}", 0))

    assert found == [b"{}", (len(frame(b"{}", 0)), 2 * len(frame(b"{}", 0)))]


def test_a_gap_in_the_numbers_counts_the_lost_frames():
    _, scan = read(frame(b"{}", 2) + frame(b"{}", 3) + frame(b"{}", 7))

    assert (scan.missing_seq, scan.corrupt_bytes) == (5, 0)


def test_the_numbers_lost_to_damage_are_not_called_missing():
    _, scan = read(journal(b"{}", b'{"damaged":1}', b"[]").replace(b"damaged", b"dXmaged"))

    assert scan.missing_seq == 0


def test_damage_at_the_very_beginning_hides_nothing_behind_it():
    text = b"X" + journal(b"[1]", b"[2]")[1:]

    found, scan = read(text)

    assert found == [(0, len(journal(b"[1]"))), b"[2]"]
    assert scan.file == FILE


def test_a_forged_frame_in_a_body_is_not_taken_when_the_first_frame_is_damaged():
    forged = b"[\n" + frame(b'{"forged":1}', 0, file="20260101T000000000Z-evil-1-00000000") + b"]"
    text = journal(forged, b"[1]", b"[2]")

    scan = FrameScan(b"X" + text[1:], hint=FILE)
    found = [f for f in scan if isinstance(f, Frame)]

    assert [text[f.body_start : f.body_end] for f in found] == [b"[1]", b"[2]"]


@pytest.mark.parametrize(
    "change", [("1795297924123", '"soon"'), ('"proven":"all"', '"proven":"yes"'), ('"bytes":2', '"bytes":-2')]
)
def test_a_header_of_the_wrong_types_is_damage_even_with_a_right_crc(change):
    sealed = (
        frame_header(capture(b"{}"), FILE, 0).partition(b'"crc32"')[0].replace(*(c.encode() for c in change))
    )
    text = sealed + b'"crc32":"%08x"}\n{}\n' % zlib.crc32(b"{}", zlib.crc32(sealed))

    assert list(FrameScan(text)) == [Damage(0, len(text))]


def test_frames_without_file_and_number_are_read_too():
    sealed = b'{"capture":1,"receipt":"00ff","received_at_ms":1,"source":"a","route":"b","proven":"none",'
    sealed += b'"bytes":2,'
    text = (sealed + b'"crc32":"%08x"}\n{}\n' % zlib.crc32(b"{}", zlib.crc32(sealed))) * 2

    found, scan = read(text)

    assert (found, scan.file) == ([b"{}", b"{}"], None)
