"""Redeliveries, late retries, replays and overlapping backfills: the same rows, whatever came first."""

from __future__ import annotations

import gzip
from itertools import permutations
from pathlib import Path

import orjson
import pytest
from system.archives import lines
from system.lakes import KEY, put
from system.service import Lake, running, signature

from connector.sample import sample_events

pytestmark = pytest.mark.slow

EVENTS = list(sample_events(events=120, days=4, seed=11))
BACKFILLS = {
    "early": EVENTS[:80],
    "late": EVENTS[40:],
    "all in reverse, as an archive had it": EVENTS[::-1],
}
ROWS = "SELECT * FROM events ORDER BY row_id"


def written(folder: Path, order: tuple[str, ...], *, compact_between: bool) -> Lake:
    lake = Lake(folder, {"privacy_key": "env:PRIVACY_KEY"}, {}, KEY)
    for name in order:
        path = put(lake, f"{name}.ndjson.gz", gzip.compress(lines(BACKFILLS[name]), mtime=0))
        lake.ok("replay", path, "--source", "shop")
        if compact_between:
            lake.ok("compact")
    return lake


def test_overlapping_backfills_give_the_same_rows_in_any_order(tmp_path):
    lakes = [
        written(tmp_path / str(at), order, compact_between=at % 2 == 1)
        for at, order in enumerate([*permutations(BACKFILLS)][::2])
    ]

    rows = {orjson.dumps(lake.query(ROWS), default=str) for lake in lakes}
    assert len(rows) == 1
    for lake in lakes:
        lake.ok("compact")
        assert {orjson.dumps(lake.query(ROWS.replace("events", "events_raw")), default=str)} == rows
    assert len({orjson.dumps(lake.fates(), option=orjson.OPT_SORT_KEYS) for lake in lakes}) == 1
    ((shown, listed),) = lakes[0].query(
        "SELECT (SELECT count(DISTINCT message_id) FROM events), "
        "count(DISTINCT (captured_file, captured_index)) FROM duplicates"
    )
    assert shown > 0
    assert listed == lakes[0].fates()["duplicate"]


def test_a_redelivery_and_a_retry_half_a_day_later_are_one_event(tmp_path):
    """Segment sends the same bytes again; an SDK without a timestamp is given another time, perhaps a day."""
    with running(tmp_path, settings={"publish_seconds": 0.1, "roll_seconds": 0.2}) as service:
        body = orjson.dumps(EVENTS[0])
        for _ in range(2):
            assert service.send(body, signature(body)).status == 200
            service.drain()
        before = service.query(ROWS)
        service.ok("compact")

        assert service.query(ROWS) == before
        assert service.fates() == {"stored": 1, "duplicate": 1}
        ((kept, lost),) = service.query("SELECT kept_captured_file, captured_file FROM duplicates LIMIT 1")
        assert kept < lost


def test_copies_within_one_file_are_listed_too(tmp_path):
    lake = Lake(tmp_path, {"privacy_key": "env:PRIVACY_KEY"}, {}, KEY)
    lake.ok("replay", put(lake, "one.ndjson", lines([EVENTS[0], EVENTS[1], EVENTS[0]])))

    assert lake.fates() == {"stored": 2, "duplicate": 1}
    found = lake.query("SELECT DISTINCT captured_index, kept_captured_index, source FROM duplicates")
    assert found == [(2, 0, "file")]


def test_a_source_sees_its_own_duplicates_only(tmp_path):
    lake = Lake(tmp_path, {"privacy_key": "env:PRIVACY_KEY"}, {}, KEY)
    for source, events in (("web", EVENTS[:3] + EVENTS[:1]), ("till", EVENTS[5:8])):
        lake.ok("replay", "--source", source, put(lake, f"{source}.ndjson", lines(events)))

    for source, count in (("web", "1"), ("till", "0")):
        said = lake.ok("sql", "--source", source, "SELECT count(DISTINCT captured_index) FROM duplicates")
        assert said.split()[-1] == count
