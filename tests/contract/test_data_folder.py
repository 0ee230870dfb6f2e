"""What every data folder must do, asked of a folder of this machine, of moto and of SeaweedFS."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from contract.data_folders import DataUnderTest, in_server, in_store, place_of
from unit.write.lake_samples import record, stage

from connector.errors import LedgerError, StoreError
from connector.tables import TABLES
from connector.write.object_ledger import Intent, intent_name, record_name
from connector.write.sink import StagedFile

EVENTS = TABLES[0]
HOUR_MS = 3_600_000


@pytest.fixture(params=["disk", "moto", "seaweed"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataUnderTest:
    return place_of(request, tmp_path, monkeypatch)


@pytest.fixture(params=["moto", "seaweed"])
def remote(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataUnderTest:
    return place_of(request, tmp_path, monkeypatch)


def _ok(place: DataUnderTest) -> None:
    assert place.audit().findings == ()
    assert place.data.names() == place.data.fold().live.keys()


def _rows(place: DataUnderTest, query: str, **more) -> list[tuple]:
    with place.lake(**more) as lake:
        return lake.execute(query).fetchall()


def test_what_is_published_is_in_the_ledger_in_the_audit_and_in_the_views(place):
    staged = [stage(place.folder, "h-1"), stage(place.folder, "h-2", stored=5, rejected=0)]
    outputs = {replace(output, name="") for file in staged for output in file.record.files}

    assert place.publisher().publish(staged) == 2

    state = place.data.fold()
    assert {replace(live.output, name="") for live in state.live.values()} == outputs
    assert place.folder.stagings() == []
    report = place.audit()
    assert report.findings == ()
    assert report.equation == "received 9 = stored 8 + rejected 1 + unmatched 0 + duplicate 0 + suppressed 0"
    assert (report.captured_files, report.table_files, report.table_rows, report.rejected_files) == (
        2,
        4,
        8,
        1,
    )
    assert _rows(place, "SELECT captured_file, captured_index, day, price FROM events_raw ORDER BY ALL") == [
        (name, index, date(2026, 11, 27 + index % 2), Decimal("19.990000"))
        for name, events in (("h-1", 3), ("h-2", 5))
        for index in range(events)
    ]
    assert _rows(place, "SELECT captured_file, captured_index, code, raw FROM rejected") == [
        ("h-1", 3, "not_json", "{")
    ]


def test_an_empty_data_folder_has_views_and_passes_the_audit(place):
    report = place.audit()

    assert (report.ok, report.entries, report.received) == (True, 0, 0)
    assert _rows(place, "SELECT count(*), max(day) FROM events") == [(0, None)]
    assert _rows(place, "SELECT count(*) FROM rejected") == [(0,)]


def test_a_data_folder_in_s3_exists_once_something_is_in_it(remote):
    assert not remote.data.exists()
    remote.publish("h-1")
    assert remote.data.exists()


def test_a_captured_file_that_is_published_twice_is_known(place):
    place.publish("h-1")
    retired: list[str] = []

    again = place.publisher(retire=retired.append)
    assert again.publish([stage(place.folder, "h-1", stored=7, tag="bbbbbbbbbb")]) == 0

    assert retired == ["h-1"]
    assert place.data.fold().total.stored == 3
    _ok(place)


def test_a_publisher_knows_records_by_name(place):
    publisher = place.publisher()
    publisher.recover()
    assert publisher.record("h-1") is None

    publisher.publish([stage(place.folder, "h-1")])
    other = place.publisher()
    other.recover()

    assert other.record("h-1") == publisher.record("h-1") == place.data.fold().records["h-1"]
    assert publisher.fold == place.data.fold()


def test_recovery_retires_what_an_earlier_process_recorded(place):
    place.publish("h-1")
    retired: list[str] = []

    place.publisher(retire=retired.append, unretired=lambda: ["h-1", "h-2"]).recover()

    assert retired == ["h-1"]


def test_a_record_whose_fates_do_not_sum_up_is_refused(place):
    with pytest.raises(LedgerError, match="h-1: the fates do not sum up"):
        place.publish("h-1", received=9)
    assert place.data.names() == set()


def test_folding_on_gives_what_folding_anew_gives(place):
    place.publish("h-1")
    begun = place.data.fold()
    place.publish("h-2", "20261121T215204123Z-web1-4711-7f3a9c21")

    assert place.data.fold(begun) == place.data.fold()
    assert place.data.fold().total.stored == 9


@pytest.mark.parametrize("tags", [("aaaaaaaaaa", "aaaaaaaaaa"), ("aaaaaaaaaa", "bbbbbbbbbb")],
                         ids=["same configuration", "different configurations"])  # fmt: skip
def test_c27_of_two_publishers_at_once_one_wins_and_leaves_no_orphan(place, tags):
    names = ["h-1", "h-2", "h-3"]
    start = threading.Barrier(2)
    staged = [[stage(place.folder, name, tag=tag) for name in names] for tag in tags]

    def publish(files: list[StagedFile]) -> int:
        publisher = place.publisher()
        start.wait()
        return publisher.publish(files)

    with ThreadPoolExecutor(2) as publishers:
        assert sum(publishers.map(publish, staged)) == 3

    state = place.data.fold()
    for name in names:
        assert len({tag for tag in tags for live in state.live if name in live and f".{tag}." in live}) == 1
    _ok(place)
    if place.in_store:
        assert place.data.attempts() == (frozenset(), frozenset())


def _first_table(place: DataUnderTest) -> str:
    return min(place.data.fold().tables)


def test_the_audit_finds_a_file_that_was_deleted(place):
    place.publish("h-1", "h-2")
    name = _first_table(place)
    place.delete(name)

    (finding,) = place.audit().findings
    assert finding.startswith(f"{name} of ")
    assert finding.endswith(" is missing.")


def test_the_audit_finds_a_file_that_was_altered(place):
    place.publish("h-1", "h-2")
    name = _first_table(place)
    content = bytearray(place.read(name))
    content[len(content) // 2] ^= 1
    place.put(name, bytes(content))

    (finding,) = place.audit().findings
    assert f"{name} of " in finding
    assert "has other content than the entry says" in finding


def test_the_audit_finds_a_file_of_another_size(place):
    place.publish("h-1")
    name = min(place.data.fold().rejected)
    place.put(name, place.read(name) + b"x")

    (finding,) = place.audit().findings
    assert "bytes instead of" in finding


@pytest.mark.parametrize("name", ["tables/events/day=2026-11-27/mine.parquet", "tables/x", "rejected/y.gz"])
def test_the_audit_finds_a_file_too_many(place, name):
    place.publish("h-1")
    place.put(name, b"")

    assert place.audit().findings == (f"{name} lies in the data folder and no ledger entry has it.",)


def test_the_audit_finds_what_does_not_belong_into_the_ledger(place):
    place.publish("h-1")
    place.put("ledger/changes/notes.txt", b"")

    assert place.audit().findings == ("ledger/changes/notes.txt is no ledger entry.",)


def test_the_audit_finds_events_that_nobody_recorded(place):
    staged = stage(place.folder, "h-1", rejected=0)
    other = StagedFile(staged.staging, record("h-9", stored=3, outputs=staged.record.outputs))
    place.publisher().publish([other])

    assert place.audit().findings == (
        "Tables hold 3 events of h-1, which no ledger entry records.",
        "h-9: 3 events stored, 0 in the tables.",
    )


@pytest.mark.parametrize(("ahead_ms", "in_flight", "leftover"), [(0, 1, 0), (21 * 60_000, 0, 1)],
                         ids=["alive", "dead"])  # fmt: skip
def test_what_an_attempt_has_put_is_no_finding_dead_or_alive(
    remote, monkeypatch, ahead_ms, in_flight, leftover
):
    """By the clock of the store: that of this machine says another year."""
    clock_ms = remote.data.store.clock_ms
    monkeypatch.setattr(remote.data.store, "clock_ms", lambda: clock_ms() + ahead_ms)
    name = "tables/events/day=2026-11-27/h-1.p0.aaaaaaaaaa.parquet"
    remote.put(intent_name("ab12"), Intent("ab12", "h-1", (name,)).encoded())
    remote.put(name, b"")

    report = remote.audit()

    assert (report.findings, report.in_flight, report.leftover_files) == ((), in_flight, leftover)


def test_the_clock_of_a_store_is_the_one_of_its_objects(remote):
    before_ms = remote.data.store.clock_ms()
    remote.put("object", b"")
    (info,) = remote.data.store.find("object")

    assert before_ms <= info.modified_ms <= remote.data.store.clock_ms()


def test_what_a_console_puts_down_for_a_folder_is_not_there(remote):
    for folder in ("tables/", "ledger/files/", "ledger/changes/", "rejected/day=2026-11-27/"):
        remote.put(folder, b"")
    assert not remote.data.exists()

    remote.publish("h-1")

    _ok(remote)


def test_a_reader_asks_for_one_record_by_name(place):
    place.publish("h-1", "h-2")

    assert place.data.record("h-2") == place.data.fold().records["h-2"]
    assert place.data.record("h-3") is None


def test_what_retention_relies_on_is_what_the_ledger_has_now(remote):
    """A record that is gone, or damaged, is no longer remembered."""
    publisher = remote.publisher()
    publisher.publish([stage(remote.folder, name) for name in ("h-1", "h-2", "h-3")])
    remote.delete(record_name("h-1"))
    remote.put(record_name("h-2"), b"{}")

    assert publisher.recorded(["h-1", "h-2", "h-3", "h-4"]) == {"h-3"}


def test_a_damaged_record_does_not_hold_up_the_files_beside_it(remote):
    remote.publish("h-1", "h-2")
    remote.put(record_name("h-1"), b"")
    retired: list[str] = []
    put_off: list[str] = []

    remote.publisher(
        retire=retired.append,
        unretired=lambda: ["h-1", "h-2", "h-3"],
        put_off=lambda name, trouble: put_off.append(f"{name}: {trouble}"),
    ).recover()

    assert retired == ["h-2"]
    (said,) = put_off
    assert said.startswith("h-1: the ledger record of h-1 is unreadable")


def test_the_sweep_removes_what_dead_attempts_left_and_nothing_else(remote):
    remote.publish("h-1")
    kept = remote.data.names()
    leftover = "tables/events/day=2026-11-27/h-2.p0.aaaaaaaaaa.parquet"
    mine = min(kept)
    remote.put(intent_name("ab12"), Intent("ab12", "h-2", (leftover,)).encoded())
    remote.put(intent_name("cd34"), Intent("cd34", "h-1", (mine,)).encoded())
    remote.put(leftover, b"")

    assert remote.publisher().sweep().intents == 0
    assert remote.data.names() == {*kept, leftover}
    swept = remote.publisher().sweep(older_than_ms=-HOUR_MS, undecided_after_ms=-HOUR_MS)

    assert (swept.names, swept.intents) == ((leftover,), 2)
    assert remote.data.names() == kept
    assert remote.publisher().sweep(older_than_ms=-HOUR_MS).intents == 0
    _ok(remote)


def test_a_store_without_its_bucket_is_said_to_be_missing(moto, tmp_path, monkeypatch):
    place = in_server(moto, tmp_path, monkeypatch)
    nowhere = moto.store(type(moto.place())("no-such-bucket", "lake/"))

    with pytest.raises(StoreError) as missing:
        in_store(tmp_path, nowhere).publish("h-1")

    assert (missing.value.code, missing.value.retryable) == ("store_missing", False)
    assert len(place.folder.stagings()) == 0
