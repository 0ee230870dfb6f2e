"""Frames as Firehose joins them: each with a receipt, none with a number."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.events import Capture
from connector.journal.frames import Frame, FrameScan, receipt_frame
from connector.journal.reader import open_captured


def capture(body: bytes, **fields: object) -> Capture:
    return Capture(
        **{  # type: ignore[arg-type]
            "source": "shop",
            "route": "webhook",
            "received_at_ms": 1_795_297_924_123,
            "body": body,
            "proven": "all",
        }
        | fields
    )


def frame(number: int, body: bytes) -> bytes:
    return receipt_frame(capture(body), f"{number:032x}")


def read(text: bytes) -> tuple[list[bytes], FrameScan]:
    scan = FrameScan(text)
    return [text[each.body_start : each.body_end] for each in scan if isinstance(each, Frame)], scan


def events_of(path: Path) -> list[object]:
    opened = open_captured(path, object_name="s-1")
    return [captured.event for part in opened.parts() for captured in part]


EVENTS = [{"type": "track", "messageId": f"m{number}"} for number in range(5)]
BODIES = st.lists(st.binary(max_size=200), min_size=1, max_size=20)


def test_the_receipt_stands_where_file_and_number_do():
    header = json.loads(frame(255, b"{}").partition(b"\n")[0])

    assert list(header) == [
        "capture", "receipt", "received_at_ms", "source", "route", "proven", "bytes", "crc32",
    ]  # fmt: skip
    assert header["receipt"] == "000000000000000000000000000000ff"


@given(BODIES)
def test_whatever_the_bodies_are_joined_frames_come_back_one_by_one(bodies: list[bytes]):
    found, scan = read(b"".join(frame(number, body) for number, body in enumerate(bodies)))

    assert found == bodies
    assert (scan.file, scan.torn_bytes, scan.corrupt_bytes, scan.missing_seq) == (None, 0, 0, 0)


@given(BODIES, st.data())
def test_damage_in_one_frame_costs_no_other(bodies: list[bytes], data: st.DataObject):
    frames = [frame(number, body) for number, body in enumerate(bodies)]
    hit = data.draw(st.integers(0, len(frames) - 1))
    at = data.draw(st.integers(0, len(frames[hit]) - 1))
    turned = data.draw(st.integers(1, 255))
    damaged = frames[hit][:at] + bytes([frames[hit][at] ^ turned]) + frames[hit][at + 1 :]

    found, _ = read(b"".join((*frames[:hit], damaged, *frames[hit + 1 :])))

    others = bodies[:hit] + bodies[hit + 1 :]
    assert found in (others, bodies)


@given(BODIES, st.data())
def test_a_frame_that_is_cut_short_in_the_middle_costs_no_other(bodies: list[bytes], data: st.DataObject):
    frames = [frame(number, body) for number, body in enumerate(bodies)]
    hit = data.draw(st.integers(0, len(frames) - 1))
    kept = data.draw(st.integers(1, len(frames[hit]) - 2))
    cut = frames[hit][:kept] + b"\n"

    found, scan = read(b"".join((*frames[:hit], cut, *frames[hit + 1 :])))

    assert found == bodies[:hit] + bodies[hit + 1 :]
    assert scan.torn_bytes + scan.corrupt_bytes == len(cut)


@pytest.mark.parametrize("members", [1, 2, 5])
def test_an_object_that_was_compressed_whole_or_piece_by_piece_is_read_to_its_end(
    members: int, tmp_path: Path
):
    frames = [frame(number, json.dumps(event).encode()) for number, event in enumerate(EVENTS)]
    pieces = [b"".join(frames[start::members]) for start in range(members)]
    (tmp_path / "joined").write_bytes(b"".join(map(gzip.compress, pieces)))

    found = events_of(tmp_path / "joined")

    assert sorted(found, key=str) == EVENTS


def test_what_lies_before_the_break_of_a_compressed_object_is_read(tmp_path: Path):
    frames = b"".join(frame(number, json.dumps(event).encode()) for number, event in enumerate(EVENTS))
    (tmp_path / "broken").write_bytes(gzip.compress(frames) + gzip.compress(frames)[:-20])

    found = events_of(tmp_path / "broken")

    assert found[: len(EVENTS)] == EVENTS
