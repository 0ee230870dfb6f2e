from __future__ import annotations

import base64
import gzip
import hashlib
import json

import duckdb
from lake_samples import BLACK_FRIDAY_MS, DAY_MS, captured

from connector.events import Rejected, Violation
from connector.write.rejected import RejectedWriter

FIELDS = (
    "captured_file captured_index code message violations source route received_at_ms type event message_id"
    " proven raw"
).split()
BROKEN = Rejected("not_json", "the record is not JSON")


def _lines(path):
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def test_a_rejected_event_keeps_its_bytes_and_its_reasons(tmp_path):
    writer = RejectedWriter(tmp_path, "h-1", "aaaaaaaaaa")
    writer.add(
        captured("h-1", 7, b'{"event": "Order Completed", "x": "\xc3\xa9"}', BLACK_FRIDAY_MS),
        Rejected(
            "schema_violation", "a schema refused it", (Violation("/x", "type", "number", "string"),),
            "track", "Order Completed", "ajs-1",
        ),
    )  # fmt: skip

    (output,) = writer.finish()

    (line,) = _lines(tmp_path / output.name)
    assert list(line) == FIELDS
    assert line["raw"] == '{"event": "Order Completed", "x": "é"}'
    assert line["violations"] == [{"path": "/x", "rule": "type", "expected": "number", "got_type": "string"}]
    assert (line["captured_index"], line["message_id"], line["proven"]) == (7, "ajs-1", "all")


def test_bytes_that_are_not_utf8_are_kept_as_base64(tmp_path):
    writer = RejectedWriter(tmp_path, "h-1", "aaaaaaaaaa")
    writer.add(captured("h-1", 0, b"\xff\xfe{"), BROKEN)

    (line,) = _lines(tmp_path / writer.finish()[0].name)

    assert list(line) == [*FIELDS[:-1], "raw_base64"]
    assert base64.b64decode(line["raw_base64"]) == b"\xff\xfe{"


def test_days_are_those_of_the_arrival_and_plain_files_have_one(tmp_path):
    writer = RejectedWriter(tmp_path, "h-1", "aaaaaaaaaa")
    for index, received_at_ms in enumerate(
        (BLACK_FRIDAY_MS, BLACK_FRIDAY_MS + DAY_MS, None, BLACK_FRIDAY_MS)
    ):
        writer.add(captured("h-1", index, b"x", received_at_ms), BROKEN)

    outputs = writer.finish()

    assert [(output.name, output.rows, output.events) for output in outputs] == [
        ("rejected/day=2010-01-01/h-1.aaaaaaaaaa.ndjson.gz", 1, 1),
        ("rejected/day=2026-11-27/h-1.aaaaaaaaaa.ndjson.gz", 2, 2),
        ("rejected/day=2026-11-28/h-1.aaaaaaaaaa.ndjson.gz", 1, 1),
    ]
    for output in outputs:
        content = (tmp_path / output.name).read_bytes()
        assert (output.bytes, output.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_same_events_give_the_same_bytes(tmp_path):
    outputs = []
    for attempt in ("1", "2"):
        writer = RejectedWriter(tmp_path / attempt, "h-1", "aaaaaaaaaa")
        writer.add(captured("h-1", 0, b"[1,"), BROKEN)
        outputs.append(writer.finish())

    assert outputs[0] == outputs[1]
    no_time = (tmp_path / "1" / outputs[0][0].name).read_bytes()[4:8]
    assert no_time == bytes(4)


def test_a_lone_surrogate_in_a_name_does_not_stop_the_writer(tmp_path):
    writer = RejectedWriter(tmp_path, "h-1", "aaaaaaaaaa")
    writer.add(
        captured("h-1", 0, rb'{"event":"a\ud800b"}'),
        Rejected("mapping_failed", "no", (), "track", "a\ud800b"),
    )

    (line,) = _lines(tmp_path / writer.finish()[0].name)

    assert line["event"] == "a\ufffdb"
    assert line["raw"] == r'{"event":"a\ud800b"}'


def test_duckdb_reads_the_file(tmp_path):
    writer = RejectedWriter(tmp_path, "h-1", "aaaaaaaaaa")
    writer.add(captured("h-1", 0, b"[1,"), BROKEN)
    (output,) = writer.finish()

    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT code, raw FROM read_json($path)", {"path": str(tmp_path / output.name)}
        )
        assert found.fetchall() == [("not_json", "[1,")]


def test_without_rejected_events_there_is_no_file(tmp_path):
    assert RejectedWriter(tmp_path, "h-1", "aaaaaaaaaa").finish() == []
    assert list(tmp_path.iterdir()) == []
