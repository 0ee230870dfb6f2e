"""``connector status``: every source that sent anything, and names that nobody has."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from system.service import Lake

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("status"))
    for source, event in {
        "web": {"type": "track", "event": "Product Viewed", "messageId": "m1", "userId": "u"},
        "till": {"type": "identify", "messageId": "m2", "userId": "u", "traits": {"email": "a@b.c"}},
        "open": {"product_id": "p-1"},
    }.items():
        path = lake.folder / f"{source}.ndjson"
        path.write_bytes(orjson.dumps(event) + b"\n")
        lake.ok("replay", str(path), "--source", source)
    return lake


def test_a_source_that_only_identifies_people_is_in_the_table(lake: Lake):
    found = orjson.loads(lake.ok("status", "--json"))

    assert [(source, rows) for source, _, rows in found["sources"]] == [("till", 1), ("web", 1)]
    assert list(found["rejected"].values()) == [1]


def test_the_totals_beside_one_source_say_that_they_are_of_all(lake: Lake):
    one, every = lake.ok("status", "--source", "till"), lake.ok("status")

    assert "received 3 =" in one
    assert "(of all sources)" in one
    assert "(of all sources)" not in every
    assert "till" in one
    assert "web" not in one.split("Last event by source")[1]
    assert orjson.loads(lake.ok("status", "--json", "--source", "till"))["rejected"] == {}


@pytest.mark.parametrize("source", ["open", "unset"], ids=["only rejected", "configured, silent"])
def test_a_source_without_rows_is_known_all_the_same(lake: Lake, source: str):
    assert orjson.loads(lake.ok("status", "--json", "--source", source))["sources"] == []


def test_a_source_that_nobody_has_is_said_to_be_none(lake: Lake):
    ran = lake.run("status", "--source", "wbe")

    assert ran.returncode == 2
    assert b"there is no source wbe; there is open, till, unset, web" in ran.stderr


def test_a_damaged_table_file_is_one_line(tmp_path: Path):
    lake = Lake(tmp_path)
    path = lake.folder / "events.ndjson"
    path.write_bytes(b'{"type":"track","event":"Product Viewed","messageId":"m1","userId":"u"}\n')
    lake.ok("replay", str(path))
    (table,) = lake.data.glob("tables/events/*/*.parquet")
    table.write_bytes(b"PAR1 and nothing else")

    for command in (["status"], ["sql", "SELECT count(*) FROM events"]):
        ran = lake.run(*command)
        assert ran.returncode == 1
        assert len(ran.stderr.splitlines()) == 1
        assert b"while reading" in ran.stderr
