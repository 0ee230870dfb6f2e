"""The reliability page is printed from notes, whichever of them there are."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from faults.results import FOLDER, note

from tests.reliability.page import page, read_notes
from tests.reliability.points import NOT_BUILT, POINTS, Cited


def test_without_any_note_every_part_says_that_it_was_not_run(tmp_path: Path):
    text = page(read_notes(tmp_path / "nowhere"), Cited())

    assert text.count("Not run.") == 7
    unbuilt = sum(text.count(f"| {reason} |") for reason in set(NOT_BUILT.values()))
    assert unbuilt == len(NOT_BUILT)
    assert text.count("no test cites it") + unbuilt == len(POINTS)


def test_what_a_test_notes_is_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    kills = {"the writer": 900, "everything": 300}
    note(
        "random kills, tables in a folder", rounds=1000, kills=kills, acknowledged=1_234_567,
        stored_unacknowledged=12, compactions=40, lost=0, twice=0, seconds=3540,
    )  # fmt: skip
    note("journal tails", damage="cut", bytes_tried=213, acknowledged_lost=0)
    note("measured: A burst", columns=["what", "events/s"], rows=[["receiver", 6500]], note="Two cores.")

    text = page(read_notes(tmp_path), Cited({7: Counter({"tests/faults/test_a.py": 2})}))

    assert "| tables in a folder | 1,000 | 1,200 | 1,234,567 | 12 | 40 | 0 | 0 | 59 min |" in text
    assert "Killed: the writer 900, everything 300." in text
    assert "| cut | 213 | 0 |" in text
    assert "## A burst\n\n| what | events/s |\n| --- | --: |\n| receiver | 6,500 |\n\nTwo cores." in text
    assert "| C7: a sync fails once, then works | 2 | `tests/faults/test_a.py` (2) |" in text


def test_nothing_is_noted_unless_somebody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(FOLDER, raising=False)
    note("journal tails", damage="cut")
    assert list(tmp_path.iterdir()) == []

    monkeypatch.setenv(FOLDER, str(tmp_path / "made"))
    note("journal tails", damage="cut")
    note("journal tails", damage="zeros")
    lines = (tmp_path / "made" / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["damage"] for line in lines] == ["cut", "zeros"]
