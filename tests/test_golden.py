"""One request in, its rows out, whole: ``tests/golden/*`` are read like documentation.

``request.json`` is the event as Segment delivers it, signed; ``expected.jsonl`` one line per row, as
``connector map`` prints them; ``why.md`` what to look at. ``pytest --update-golden`` writes the rows anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector.cases import public_outcome
from connector.config import load_settings
from connector.events import Captured
from connector.jsontext import decode
from connector.wiring import Configured, configure, shipped_mapping

FOLDERS = sorted(path.parent for path in (Path(__file__).parent / "golden").glob("*/request.json"))
ARRIVED_MS = 1_773_508_232_187  # 2026-03-14T17:10:32.187Z


@pytest.fixture(scope="module")
def configured() -> Configured:
    return configure(load_settings(mapping=str(shipped_mapping())), preview=True)


def rows_of(request: bytes, configured: Configured) -> list[dict[str, Any]]:
    """What the default mapping makes of one signed webhook request; the mapping's hash left out."""
    value, error, repaired = decode(request)
    captured = Captured(
        "golden", 0, "web", "webhook", ARRIVED_MS, "all", value, error, repaired, lambda: request, "golden"
    )
    shown = public_outcome(configured.pipeline(captured), {table.name: table for table in configured.tables})
    for item in shown:
        if "row" in item:
            item["row"]["mapping"] = item["row"]["mapping"].split("@")[0]
    return shown


def test_there_are_golden_folders_and_each_is_complete() -> None:
    assert len(FOLDERS) >= 4
    assert all((folder / "why.md").is_file() for folder in FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_request_gives_its_rows(folder: Path, configured: Configured, pytestconfig: pytest.Config) -> None:
    rows = rows_of((folder / "request.json").read_bytes(), configured)

    expected = folder / "expected.jsonl"
    if pytestconfig.getoption("--update-golden"):
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        expected.write_text("".join(lines), encoding="utf-8")
    assert rows == [json.loads(line) for line in expected.read_text(encoding="utf-8").splitlines()]
