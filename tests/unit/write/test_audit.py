from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from lake_samples import product_viewed, record, stage

from connector.tables import TABLES
from connector.write import stored
from connector.write.audit import audit
from connector.write.folder import DataFolder
from connector.write.ledger import Counts, Entry, decode, encode, entry_path, fold
from connector.write.parquet import PartWriter
from connector.write.publish import Publisher
from connector.write.sink import StagedFile

NOW_MS = 1_800_000_000_000
MINUTE_MS = 60_000


def _audit(root: Path, closed=None, **more):
    return audit(root, journal_closed=closed, now_ms=NOW_MS, pause=more.pop("pause", lambda: None), **more)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three captured files in two entries."""
    folder = DataFolder(tmp_path / "shop [ab]")
    publisher = Publisher(folder)
    publisher.publish([stage(folder, "h-1"), stage(folder, "h-2", stored=5, rejected=0)])
    publisher.publish([stage(folder, "h-3", stored=2, rejected=2)])
    return folder.root


def _table_file(root: Path) -> Path:
    return root / min(fold(root).tables)


def _rewrite(root: Path, number: int, change) -> None:
    """Edit an entry as somebody who mends hashes and chain, too."""
    previous = None
    for at in range(number, fold(root).number + 1):
        entry, _ = decode(entry_path(root, at).read_bytes(), at)
        if at == number:
            entry = change(entry)
        if previous is not None:
            entry = replace(entry, previous=previous)
        content = encode(entry)
        entry_path(root, at).write_bytes(content)
        previous = decode(content, at)[1]


def test_an_untouched_folder_passes(root):
    report = _audit(root, deep=True)

    assert report.ok
    assert report.findings == ()
    assert (
        report.equation == "received 13 = stored 10 + rejected 3 + unmatched 0 + duplicate 0 + suppressed 0"
    )
    assert (report.entries, report.captured_files, report.table_files, report.table_rows) == (2, 3, 6, 10)
    assert report.rejected_files == 2
    assert json.loads(json.dumps(asdict(report)))["fates"]["stored"] == 10


def test_a_folder_whose_name_looks_like_a_pattern_is_counted_itself(root):
    """``shop [ab]`` as a pattern would mean ``shop a``."""
    other = root.with_name("shop a")
    shutil.copytree(root, other)
    for name in fold(root).tables:
        shutil.copy(_table_file(root), other / name)

    assert _audit(root).ok


def test_an_empty_folder_passes(tmp_path):
    assert _audit(tmp_path).ok


def test_a_removed_file_is_found(root):
    path = _table_file(root)
    path.unlink()

    report = _audit(root)

    assert report.findings == (f"{path.relative_to(root)} of ledger entry 1 is missing.",)


def test_a_replaced_file_is_found(root):
    path = _table_file(root)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    assert ["other content" in finding for finding in _audit(root).findings] == [True]


def test_a_file_of_another_size_is_found(root):
    path = _table_file(root)
    path.write_bytes(path.read_bytes() + b"x")

    assert ["bytes instead of" in finding for finding in _audit(root).findings] == [True]


def _first_output(change):
    def apply(entry: Entry) -> Entry:
        first, *rest = entry.records
        output, *others = first.outputs
        return replace(entry, records=(replace(first, outputs=(change(output), *others)), *rest))

    return apply


def test_a_row_count_altered_in_the_entry_is_found(root):
    _rewrite(root, 1, _first_output(lambda output: replace(output, rows=output.rows + 1)))

    (finding,) = _audit(root).findings

    assert "has 2 rows, the entry says 3" in finding


def test_a_row_sum_altered_in_the_entry_is_found_by_the_deep_audit(root):
    _rewrite(root, 1, _first_output(lambda output: replace(output, row_sum="f" * 16)))

    assert _audit(root).ok
    assert ["another sum" in finding for finding in _audit(root, deep=True).findings] == [True]


@pytest.mark.parametrize(
    "moved", [("stored", "duplicate"), ("stored", "unmatched"), ("rejected", "suppressed")]
)
def test_counts_altered_in_the_entry_are_found_though_they_sum_up(root, moved):
    less, more = moved

    def shift(entry: Entry) -> Entry:
        first, *rest = entry.records
        first = replace(first, **{less: getattr(first, less) - 1, more: getattr(first, more) + 1})
        return replace(entry, records=(first, *rest))

    _rewrite(root, 1, shift)

    (finding,) = _audit(root).findings
    assert finding.startswith("h-1: ")


def test_an_event_lost_from_the_counts_is_found(root):
    _rewrite(root, 2, lambda e: replace(e, records=(replace(e.records[0], received=5),)))

    assert any("h-3: the fates do not sum up: received 5 =" in finding for finding in _audit(root).findings)


def test_an_edited_entry_is_found(root):
    path = entry_path(root, 2)
    path.write_bytes(path.read_bytes().replace(b'"received":4', b'"received":5'))

    report = _audit(root)

    assert not report.ok
    assert report.findings[0].startswith("ledger entry 2 was altered")


def test_a_missing_entry_is_found(root):
    entry_path(root, 1).unlink()

    assert _audit(root).findings == ("ledger entry 1 is missing, entry 2 is there.",)


def test_a_missing_last_entry_shows_in_the_files_that_nobody_names(root):
    entry_path(root, 2).unlink()

    findings = _audit(root).findings

    assert len(findings) == 3
    assert all(finding.endswith("no ledger entry has it.") for finding in findings)


@pytest.mark.parametrize("name", ["tables/events/day=2026-11-27/mine.parquet", "tables/x", "rejected/y.gz"])
def test_an_extra_file_is_found(root, name):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(b"")

    assert _audit(root).findings == (f"{name} lies in the data folder and no ledger entry has it.",)


def test_a_file_beside_the_entries_is_found(root):
    (entry_path(root, 1).parent / "000000000003.json.bak").write_bytes(b"")

    assert _audit(root).findings == ("ledger/changes/000000000003.json.bak is no ledger entry.",)


def test_rejected_lines_are_counted(root):
    name, live = min(fold(root).rejected.items())
    lines = gzip.decompress((root / name).read_bytes()).splitlines(keepends=True)
    (root / name).write_bytes(gzip.compress(lines[0] * 2, mtime=0))
    content = (root / name).read_bytes()

    def tell(entry: Entry) -> Entry:
        first, *rest = entry.records
        output = replace(live.output, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        return replace(entry, records=(replace(first, rejected_outputs=(output,)), *rest))

    _rewrite(root, 1, tell)

    (finding,) = _audit(root).findings
    assert "has 2 lines of 1 events, the entry says 1" in finding


def test_an_event_with_rows_in_two_tables_counts_once(tmp_path):
    folder = DataFolder(tmp_path)
    staging = folder.new_staging()
    writer = PartWriter(staging, TABLES, "h-1", 0, "t")
    view = product_viewed("h-1", 0)
    writer.add("events", view)
    writer.add("events", {**view, "line_index": 0, "row_id": "other"})
    writer.add("groups", {key: view[key] for key in view if key not in ("event", "price")})
    Publisher(folder).publish([StagedFile(staging, record("h-1", stored=1, outputs=tuple(writer.finish())))])

    assert _audit(tmp_path).ok


def test_rows_of_a_captured_file_that_nobody_records_are_found(tmp_path):
    folder = DataFolder(tmp_path)
    staged = stage(folder, "h-1", stored=2, rejected=0)
    Publisher(folder).publish([replace(staged, record=replace(staged.record, captured_file="h-9"))])

    assert _audit(tmp_path).findings == (
        "Tables hold 2 events of h-1, which no ledger entry records.",
        "h-9: 2 events stored, 0 in the tables.",
    )


def test_files_of_changes_are_counted_with_those_they_left(root):
    """As a compaction of one day that found a duplicate of h-2."""
    folder = DataFolder(root)
    state = fold(root)
    friday = sorted(name for name in state.tables if "2026-11-27" in name and "h-3" not in name)
    staging = folder.new_staging()
    writer = PartWriter(staging, TABLES, "c-3", 0, "t")
    for captured_file, indices in (("h-1", (0, 2)), ("h-2", (0, 2))):
        for index in indices:
            writer.add("events", product_viewed(captured_file, index))
    (output,) = writer.finish()
    change = Entry(
        3, "compaction", state.sha256, NOW_MS, (), tuple(friday), (output,),
        {"h-1": state.counts["h-1"], "h-2": Counts(received=5, stored=4, duplicate=1)},
    )  # fmt: skip
    entry_path(root, 3).write_bytes(encode(change))
    Publisher(folder).recover()

    report = _audit(root)

    assert report.findings == ()
    assert report.fates["duplicate"] == 1


def test_a_file_that_appears_while_looking_again_is_no_finding(root):
    """A publisher is between its entry and its renames."""
    path = _table_file(root)
    aside = root / "aside"
    path.rename(aside)

    report = _audit(root, pause=lambda: aside.rename(path))

    assert report.ok


def test_a_file_that_stays_away_is_looked_for_three_times(root):
    _table_file(root).unlink()
    pauses = []

    report = _audit(root, pause=lambda: pauses.append(1))

    assert (report.ok, len(pauses)) == (False, 2)


@pytest.mark.parametrize(("times", "holds"), [(1, True), (3, False)])
def test_a_file_that_is_removed_while_it_is_read_makes_the_audit_look_again(root, monkeypatch, times, holds):
    """A change has replaced it, and what it replaced has been cleared away."""
    path, aside, left = _table_file(root), root / "aside", [times]
    real = stored.scratch_duckdb

    def replaced(*arguments):
        if left[0]:
            left[0] -= 1
            path.rename(aside)
        return real(*arguments)

    monkeypatch.setattr(stored, "scratch_duckdb", replaced)
    report = _audit(root, pause=lambda: aside.rename(path))

    assert report.ok is holds
    assert holds or "run the audit again" in report.findings[-1]


def test_young_captured_files_wait_and_old_ones_are_open(root, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir()
    for name, age_ms in (("young", 14 * MINUTE_MS), ("h-1", 99 * MINUTE_MS)):
        (closed / name).write_bytes(b"x")
        os.utime(closed / name, ns=((NOW_MS - age_ms) * 1_000_000,) * 2)

    waiting = _audit(root, closed)
    os.utime(closed / "young", ns=((NOW_MS - 15 * MINUTE_MS) * 1_000_000,) * 2)
    late = _audit(root, closed)

    assert (waiting.ok, waiting.waiting_files, waiting.open_files) == (True, 1, 0)
    assert (late.ok, late.waiting_files, late.open_files) == (False, 0, 1)
    assert late.findings == ("young is closed for 15 minutes and not written.",)


def test_how_long_they_may_wait_is_told(root):
    def at_age(age_ms, open_after_ms):
        return _audit(root, lambda: [("f", NOW_MS - age_ms)], open_after_ms=open_after_ms)

    assert (at_age(59_999, 60_000).ok, at_age(60_000, 60_000).ok) == (True, False)


def test_the_journal_may_list_itself(root):
    report = _audit(root, lambda: [("f", NOW_MS)], refused=2)

    assert (report.ok, report.waiting_files, report.refused) == (True, 1, 2)


def test_no_journal_folder_means_nothing_waits(root, tmp_path):
    assert _audit(root, tmp_path / "nowhere").waiting_files == 0
