"""``connector audit`` holds after what we do and fails after what somebody else does to the files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from system.service import Lake

from connector.sample import sample_events

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A small lake: one captured file with events and a rejected line."""
    lake = Lake(tmp_path_factory.mktemp("written"))
    path = lake.folder / "events.ndjson"
    lines = [orjson.dumps(event) for event in sample_events(events=60, days=2, seed=3)]
    path.write_bytes(b"\n".join([*lines, b'{"product_id":"p-1"}', b""]))
    lake.ok("replay", str(path))
    return lake


@pytest.fixture
def lake(written: Lake, tmp_path: Path) -> Lake:
    """A copy that a test may damage."""
    copy = Lake(tmp_path)
    shutil.copytree(written.data, copy.data)
    return copy


def table_file(lake: Lake) -> Path:
    return sorted(lake.data.glob("tables/events/*/*.parquet"))[0]


def entry_file(lake: Lake) -> Path:
    return sorted(lake.data.glob("ledger/changes/*.json"))[0]


def remove_a_table_file(lake: Lake) -> str:
    path = table_file(lake)
    path.unlink()
    return path.name


def alter_a_table_file(lake: Lake) -> str:
    path = table_file(lake)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return path.name


def add_a_table_file(lake: Lake) -> str:
    path = table_file(lake).with_name("stranger.parquet")
    shutil.copy(table_file(lake), path)
    return path.name


def remove_the_rejected_file(lake: Lake) -> str:
    (path,) = lake.data.glob("rejected/*/*.gz")
    path.unlink()
    return path.name


def alter_a_row_count(lake: Lake) -> str:
    path = entry_file(lake)
    entry: dict[str, Any] = json.loads(path.read_bytes())
    entry["records"][0]["outputs"][0]["rows"] += 1
    path.write_bytes(json.dumps(entry).encode())
    return "ledger entry 1"


def edit_a_byte_of_an_entry(lake: Lake) -> str:
    path = entry_file(lake)
    path.write_bytes(path.read_bytes().replace(b'"received"', b'"receivet"', 1))
    return "ledger entry 1"


def remove_an_entry(lake: Lake) -> str:
    entry_file(lake).unlink()
    return "no ledger entry"


DAMAGE: dict[str, Callable[[Lake], str]] = {
    function.__name__: function
    for function in (
        remove_a_table_file, alter_a_table_file, add_a_table_file, remove_the_rejected_file,
        alter_a_row_count, edit_a_byte_of_an_entry, remove_an_entry,
    )
}  # fmt: skip


def test_the_audit_of_an_untouched_lake_holds_and_says_so(lake: Lake) -> None:
    said = lake.ok("audit")

    assert "received 61 = stored 60 + rejected 1 + unmatched 0 + duplicate 0 + suppressed 0" in said
    assert "The ledger holds." in said


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_audit_of_a_damaged_lake_fails_and_names_the_place(lake: Lake, damage: str) -> None:
    place = DAMAGE[damage](lake)

    ran = lake.run("audit")

    assert ran.returncode == 1
    assert place in ran.stderr.decode()
    assert b"does not hold" in ran.stdout


def test_the_audit_of_a_folder_that_is_not_there_proves_nothing(tmp_path: Path) -> None:
    ran = Lake(tmp_path).run("audit", "--data", str(tmp_path / "misspelt"))

    assert (ran.returncode, ran.stdout) == (2, b"")
    assert b"misspelt: no such data folder" in ran.stderr


def test_the_status_tells_fates_sources_and_reasons_as_json(written: Lake) -> None:
    status = json.loads(written.ok("status", "--json"))

    assert status["events"] == {
        "received": 61, "stored": 60, "rejected": 1, "unmatched": 0, "duplicate": 0, "suppressed": 0
    }  # fmt: skip
    assert status["backlog"] == {"files": 0, "bytes": 0, "oldest_unwritten_seconds": None}
    assert status["rejected"] == {"type_unknown": 1}
    ((source, last, count),) = status["sources"]
    assert (source, last[:2]) == ("file", "20")
    tables = [name for (name,) in written.query("SHOW TABLES") if name.endswith("_raw")]
    assert count == sum(written.query(f"SELECT count(*) FROM {name}")[0][0] for name in tables)
    assert status["disk"]["free_bytes"] > 0
    assert "rejected 1" in written.ok("status")
