"""One request in, the records Mixpanel would be sent out, whole: ``tests/golden/mixpanel/*``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.cases import public_outcome
from connector.config import load_settings
from connector.events import Captured
from connector.jsontext import decode
from connector.wiring import dry_run

ROOT = Path(__file__).parents[3]
FOLDERS = sorted(path.parent for path in (ROOT / "tests" / "golden" / "mixpanel").glob("*/request.json"))
ARRIVED_MS = 1_773_508_232_187


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_request_gives_its_records(folder: Path, pytestconfig: pytest.Config) -> None:
    request = (folder / "request.json").read_bytes()
    value, error, repaired = decode(request)
    captured = Captured(
        "golden", 0, "web", "webhook", ARRIVED_MS, "all", value, error, repaired, lambda: request, "golden"
    )
    mapping = load_settings(mapping=str(ROOT / "mappings" / "mixpanel.yaml"))

    records = public_outcome(dry_run(mapping).pipeline(captured), {})

    expected = folder / "expected.jsonl"
    if pytestconfig.getoption("--update-golden"):
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        expected.write_text("".join(lines), encoding="utf-8")
    assert records == [json.loads(line) for line in expected.read_text(encoding="utf-8").splitlines()]


def test_each_golden_folder_is_complete() -> None:
    assert len(FOLDERS) >= 3
    assert all((folder / "why.md").is_file() for folder in FOLDERS)
