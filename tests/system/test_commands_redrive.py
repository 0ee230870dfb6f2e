"""``connector rejected redrive``: what passes now moves into the tables, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from system.archives import lines
from system.lakes import lake_in, put
from system.service import Lake

pytestmark = pytest.mark.slow

STRICT = '{"title": "Order Completed", "properties": {"properties": {"required": ["order_id"], ' \
         '"x-policy": {"required": "reject"}}}}'  # fmt: skip
MILD = '{"title": "Order Completed", "properties": {"properties": {"type": "object"}}}'


def order(number: int, day: int = 1, **properties: Any) -> dict[str, Any]:
    products = [{"sku": "a", "price": 5}, {"sku": "b", "price": 20}]
    return {
        "type": "track", "event": "Order Completed", "messageId": f"m{number}", "userId": f"usr_{number}",
        "timestamp": f"2026-03-{day:02}T10:00:00.000Z", "receivedAt": f"2026-03-{day:02}T10:00:01.000Z",
        "properties": {"revenue": 25, "products": products, **properties},
    }  # fmt: skip


in_s3_too = pytest.mark.parametrize("lake", ["disk", "moto"], indirect=True)


@pytest.fixture(params=["disk"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """Two captured files of orders; those without an ``order_id`` were rejected."""
    (tmp_path / "schemas").mkdir()
    lake = lake_in(request, tmp_path, {"schemas": str(tmp_path / "schemas")}, {})
    schema(lake, STRICT)
    first = [order(1, order_id="o1"), order(2), order(3, 2), {"type": "tra"}, {"cart": 1}]
    second = [order(2, receivedAt="2026-03-01T10:00:09.000Z"), order(4, 2)]
    lake.ok("replay", put(lake, "one.ndjson", lines(first)), put(lake, "two.ndjson", lines(second)))
    assert lake.fates() == {"stored": 1, "rejected": 6}
    return lake


def schema(lake: Lake, text: str) -> None:
    (lake.folder / "schemas" / "order_completed.json").write_text(text)


def redrive(lake: Lake, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lake.ok("rejected", "redrive", "--json", *arguments))
    return found


def test_what_would_pass_is_told_and_nothing_moves(lake):
    schema(lake, MILD)

    found = redrive(lake, "--dry-run", "--reason", "schema_violation")

    assert (found["selected"], found["passing"]) == (4, 4)
    assert found["fates"] == {"duplicate": 1, "stored": 3}
    assert lake.fates() == {"stored": 1, "rejected": 6}


@in_s3_too
def test_what_passes_moves_once_with_the_rows_it_would_have_had(lake):
    schema(lake, MILD)

    moved = redrive(lake, "--reason", "schema_violation")

    assert (moved["passing"], moved["fates"]["stored"]) == (4, 3)
    assert lake.fates() == {"stored": 4, "rejected": 2, "duplicate": 1}
    rows = lake.query(
        "SELECT message_id, count(*), min(captured_index), min(source) FROM events GROUP BY 1 ORDER BY 1"
    )
    assert rows == [("m1", 3, 0, "file"), ("m2", 3, 1, "file"), ("m3", 3, 2, "file"), ("m4", 3, 1, "file")]
    assert {line["code"] for line in lake.rejected()} == {"type_unknown"}

    again = redrive(lake)
    assert (again["selected"], again["passing"]) == (2, 0)
    assert again["still_rejected"] == {"type_unknown": 2}
    assert lake.fates() == {"stored": 4, "rejected": 2, "duplicate": 1}


def test_rows_are_those_of_a_first_replay_under_the_new_schema(lake, tmp_path):
    schema(lake, MILD)
    redrive(lake)
    fresh = Lake(
        tmp_path / "fresh", lake.settings | {"data": str(tmp_path / "fresh" / "data")}, {}, lake.environment
    )
    fresh.ok("replay", str(lake.folder / "one.ndjson"), str(lake.folder / "two.ndjson"))

    everything = "SELECT * EXCLUDE (mapping) FROM events ORDER BY row_id"
    assert lake.query(everything) == fresh.query(everything) != []


def test_selections_narrow_what_moves(lake):
    schema(lake, MILD)

    assert redrive(lake, "--dry-run", "--reason", "type_unknown")["selected"] == 2
    assert redrive(lake, "--dry-run", "--event", "Order Completed")["selected"] == 4
    assert redrive(lake, "--dry-run", "--source", "web")["selected"] == 0
    assert redrive(lake, "--dry-run", "--since", "2026-03-02")["selected"] == 2, "as receivedAt says"
    assert redrive(lake, "--dry-run", "--since", "2026-03-01")["selected"] == 4, "fragments have no date"


def test_what_nobody_subscribes_to_any_more_becomes_unmatched(lake):
    mapping = put(lake, "profiles.yaml", b"""
        settings: {}
        subscriptions:
          - {name: People, subscribe: 'type = "identify"', partnerAction: storeProfile,
             mapping: {event: {"@path": "$."}}}
    """)  # fmt: skip
    schema(lake, MILD)

    assert redrive(lake, "--mapping", mapping)["fates"] == {"rejected": 2, "unmatched": 4}
    assert lake.fates() == {"stored": 1, "rejected": 2, "unmatched": 4}


@in_s3_too
def test_a_moved_event_is_compacted_and_rebuilt_like_any_other(lake):
    schema(lake, MILD)
    redrive(lake)
    shown = lake.query("SELECT * FROM events ORDER BY row_id")

    lake.ok("compact")
    assert lake.query("SELECT * FROM events ORDER BY row_id") == shown
    files = [str(lake.folder / name) for name in ("one.ndjson", "two.ndjson")]
    diff = json.loads(lake.ok("replay", "--diff", "--json", *files))
    assert (diff["captured_files"], diff["tables"]) == (2, {})
    assert lake.fates() == {"stored": 4, "rejected": 2, "duplicate": 1}


def test_an_unknown_reason_is_told_with_those_there_are(lake):
    ran = lake.run("rejected", "redrive", "--reason", "schema_violatoin")

    assert ran.returncode == 2
    assert b"schema_violation" in ran.stderr
