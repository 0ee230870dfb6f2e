"""
Objects as Firehose makes them: records joined without a delimiter and packed, some of them delivered twice.

The emulators that run here write each record by itself and unpacked, so the objects are made from records.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from aws_journal import Context, Deployment, capture, deployed, failed, frame, joined, news
from s3_servers import S3Server

from connector.aws.janitor import Janitor
from connector.journal.frames import receipt_frame

RECEIPTS = [f"{number:032x}" for number in range(100)]


@pytest.fixture
def shop(seaweed: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    with deployed(seaweed, tmp_path, monkeypatch) as deployment:
        yield deployment


def write(shop: Deployment, *contents: bytes) -> None:
    made = [shop.put(f"firehose/2026/11/27/10/{number}.gz", each) for number, each in enumerate(contents)]
    assert failed(shop.writer()(news(*made), Context())) == []


def names(*numbers: int) -> list[str]:
    return sorted(f"m-{number}" for number in numbers)


def test_records_are_joined_without_a_delimiter_and_packed(shop: Deployment):
    write(shop, joined(*(frame(f"m-{number}", number) for number in range(40))))

    assert shop.message_ids() == names(*range(40))
    assert shop.fates() == {"stored": 40}


def test_several_gzip_members_are_one_object(shop: Deployment):
    """Firehose may pack what it has buffered piece by piece."""
    frames = [frame(f"m-{number}", number) for number in range(9)]
    write(shop, joined(*frames[:4]) + joined(*frames[4:5]) + joined(*frames[5:]))

    assert shop.message_ids() == names(*range(9))


def test_a_member_may_end_inside_a_frame(shop: Deployment):
    whole = b"".join(frame(f"m-{number}", number) for number in range(3))
    write(shop, gzip.compress(whole[:500]) + gzip.compress(whole[500:]))

    assert (shop.message_ids(), shop.audit().torn_bytes) == (names(0, 1, 2), 0)


def test_an_object_may_come_unpacked(shop: Deployment):
    """A capture too large for the stream is an object of its own; some stores unpack what they hand out."""
    write(shop, frame("m-0"), frame("m-1") + frame("m-2"))

    assert shop.message_ids() == names(0, 1, 2)


def test_a_record_that_firehose_delivered_twice_is_counted_as_a_duplicate(shop: Deployment):
    """Its own retry repeats the frame with its receipt, in the same object or in a later one."""
    frames = [frame(f"m-{number}", number, RECEIPTS[number]) for number in range(5)]
    write(shop, joined(*frames[:4], frames[1], frames[2]))

    assert shop.message_ids() == names(0, 1, 2, 3)
    assert shop.fates() == {"stored": 4, "duplicate": 2}

    write(shop, joined(frames[3], frames[4]))
    assert shop.message_ids() == names(0, 1, 2, 3, 3, 4), "across objects compaction finds it"
    assert shop.query("SELECT count(*) FROM events") == [(5,)], "and the view before that"
    compact(shop)
    assert shop.message_ids() == names(0, 1, 2, 3, 4)
    assert shop.fates() == {"stored": 5, "duplicate": 3}


def test_an_event_without_an_id_that_is_delivered_twice_is_one_too(shop: Deployment):
    body = b'{"type":"page","userId":"u-1","name":"Home","timestamp":"2026-11-27T10:00:00Z"}'
    twice = receipt_frame(capture("", body=body), RECEIPTS[0])
    write(shop, joined(twice, twice))

    assert shop.fates() == {"stored": 1, "duplicate": 1}


def test_frames_of_batches_and_of_single_events_lie_side_by_side(shop: Deployment):
    bodies = [capture(f"m-{number}").body for number in range(6)]
    batch = receipt_frame(capture("", body=b"[" + b",".join(map(bytes, bodies[:4])) + b"]"), RECEIPTS[0])
    write(shop, joined(frame("m-4"), batch, frame("m-5"), batch))

    assert shop.message_ids() == names(*range(6))
    assert shop.fates() == {"stored": 6, "duplicate": 4}


def test_what_cannot_be_read_is_rejected_beside_the_rest(shop: Deployment):
    odd = receipt_frame(capture("", body=b'{"type":"nonsense","messageId":"m-9"}'), RECEIPTS[0])
    damaged = frame("m-8").replace(b'"u-1"', b'"u-2"')
    write(shop, joined(frame("m-0"), odd, damaged, frame("m-1")))

    assert shop.message_ids() == names(0, 1)
    assert shop.fates() == {"stored": 2, "rejected": 2}


def compact(shop: Deployment) -> None:
    Janitor(shop.settings())(Context())
