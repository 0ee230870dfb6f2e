"""``connector replay --diff`` and ``--rebuild``: a changed mapping seen first, then applied in one step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from system.archives import lines
from system.lakes import lake_in, put
from system.service import Lake

from connector.sample import sample_events

pytestmark = pytest.mark.slow

NO_LINES = ("generatePurchaseEventPerProduct: true", "generatePurchaseEventPerProduct: false")
NO_PAGES = ('subscribe: type = "page" or type = "screen"', 'subscribe: type = "screen"')


def mapping(lake: Lake, *changes: tuple[str, str]) -> str:
    """The shipped mapping with some of its text changed."""
    text = (Path(__file__).parents[2] / "mappings" / "ecommerce.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return put(lake, f"mapping/{len(changes)}/ecommerce.yaml", text.encode())


in_s3_too = pytest.mark.parametrize("lake", ["disk", "moto"], indirect=True)


@pytest.fixture(params=["disk"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """Four captured files over six days, half of one sent again in the next."""
    lake = lake_in(request, tmp_path, {}, {})
    events = list(sample_events(events=400, days=6, seed=3))
    for number in range(4):
        part = events[number * 100 : number * 100 + 150]
        put(lake, f"captured/{number}.ndjson", lines(part))
    lake.ok("replay", captured(lake))
    return lake


def captured(lake: Lake) -> str:
    return str(lake.folder / "captured")


def configure(lake: Lake, **settings: Any) -> None:
    lake.config.write_text(json.dumps({**json.loads(lake.config.read_text()), **settings}))


def diff(lake: Lake, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lake.ok("replay", "--diff", "--json", captured(lake), *arguments))
    return found


def rebuild(lake: Lake, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lake.ok("replay", "--rebuild", "--json", captured(lake), *arguments))
    return found


def fresh(lake: Lake, folder: Path, *arguments: str) -> Lake:
    """The same captured files written for the first time under the new configuration."""
    settings = {**lake.settings, "data": str(folder / "data"), "journal": str(folder / "journal")}
    made = Lake(folder, settings, {}, lake.environment)
    made.ok("replay", captured(lake), *arguments)
    return made


EVERYTHING = "SELECT * FROM events ORDER BY row_id"


@pytest.mark.parametrize("compacted", [False, True])
def test_nothing_differs_under_the_same_configuration(lake, compacted):
    if compacted:
        lake.ok("compact")

    found = diff(lake)

    assert (found["captured_files"], found["affected_captured_files"], found["tables"]) == (4, 0, {})
    assert rebuild(lake)["rebuilt"] is False


@in_s3_too
def test_a_preview_tells_rows_days_and_fates_and_changes_nothing(lake):
    before, state = lake.query(EVERYTHING), lake.audit()["entries"]
    pages = lake.query("SELECT count(*) FROM events WHERE type = 'page'")[0][0]

    found = diff(lake, "--mapping", mapping(lake, NO_PAGES))

    assert found["tables"]["events"]["removed"] >= pages > 0
    assert (found["tables"]["events"]["added"], found["tables"]["events"]["changed"]) == (0, 0)
    assert found["fates"]["unmatched"] >= pages
    assert found["rebuilt"] is False
    assert (lake.query(EVERYTHING), lake.audit()["entries"]) == (before, state)


def test_changed_values_are_told_by_column(lake):
    configure(lake, revenue_from=["items", "revenue"])

    found = diff(lake)

    columns = found["tables"]["events"]["columns"]
    assert columns["order_revenue_from"] == found["tables"]["events"]["changed"] > 0
    assert set(columns) <= {"order_revenue", "order_revenue_from", "flags"}


@pytest.mark.parametrize(
    ("lake", "compacted"), [("disk", False), ("disk", True), ("moto", True)], indirect=["lake"]
)
def test_a_rebuild_gives_what_a_first_write_would_have_given(lake, tmp_path, compacted):
    if compacted:
        lake.ok("compact")
    new = mapping(lake, NO_PAGES, NO_LINES)

    rebuilt = rebuild(lake, "--mapping", new)

    assert rebuilt["rebuilt"] is True
    expected = fresh(lake, tmp_path / "fresh", "--mapping", new)
    assert lake.query(EVERYTHING) == expected.query(EVERYTHING) != []
    assert lake.fates()["unmatched"] == expected.fates()["unmatched"]
    assert diff(lake, "--mapping", new)["affected_captured_files"] == 0
    lake.ok("compact")
    expected.ok("compact")
    assert lake.fates() == expected.fates()
    assert lake.query(EVERYTHING) == expected.query(EVERYTHING)


def test_there_and_back_again_doubles_nothing(lake):
    """C35."""
    before, fates = lake.query(EVERYTHING.replace("*", "* EXCLUDE (mapping)")), lake.fates()
    for _ in range(2):
        rebuild(lake, "--mapping", mapping(lake, NO_PAGES))
        rebuild(lake)

    assert lake.query(EVERYTHING.replace("*", "* EXCLUDE (mapping)")) == before
    assert lake.fates() == fates


def test_days_choose_whole_captured_files(lake):
    """Files without events in the range keep every row, and the days of the others are rebuilt with them."""
    spans = dict(lake.query("SELECT captured_file, max(day)::VARCHAR FROM events_raw GROUP BY 1"))
    last = max(spans.values())
    chosen = {name for name, day in spans.items() if day == last}
    before = lake.query("SELECT captured_file, count(*) FROM events_raw WHERE type = 'page' GROUP BY 1")

    rebuilt = rebuild(lake, "--mapping", mapping(lake, NO_PAGES), "--from", last)

    assert (rebuilt["captured_files"], rebuilt["passed_over"]) == (len(chosen), 4 - len(chosen))
    after = lake.query("SELECT captured_file, count(*) FROM events_raw WHERE type = 'page' GROUP BY 1")
    assert sorted(after) == sorted(row for row in before if row[0] not in chosen)
    lake.audit()


def test_days_that_move_leave_no_row_behind(lake):
    """Times before ``first_day`` are replaced by the arrival: rows go to another day in the same step."""
    late = {"type": "track", "event": "Cart Viewed", "messageId": "late", "userId": "usr_1",
            "timestamp": "2025-06-01T10:00:00.000Z", "receivedAt": "2025-06-05T10:00:00.000Z"}  # fmt: skip
    put(lake, "captured/late.ndjson", lines([late]))
    lake.ok("replay", captured(lake))
    configure(lake, first_day="2025-06-03")

    rebuilt = rebuild(lake)

    days = "SELECT day::VARCHAR FROM events_raw WHERE message_id = 'late'"
    assert lake.query(days) == [("2025-06-05",)]
    assert rebuilt["affected_days"] == ["2025-06-01", "2025-06-05"]
    assert rebuilt["tables"]["events"]["columns"]["day"] == 1
    lake.audit()


def test_files_that_are_not_in_the_ledger_are_told(lake):
    put(lake, "captured/new.ndjson", lines(sample_events(events=3, days=1, seed=9)))

    found = diff(lake)

    assert found["not_in_the_ledger"] == 1


def test_options_that_do_not_go_together_are_refused(lake):
    for arguments in (["--diff", "--rebuild"], ["--from", "2026-01-01", captured(lake)], []):
        assert lake.run("replay", *arguments).returncode == 2
