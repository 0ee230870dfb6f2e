"""What every data folder must do, asked of a folder of this machine, of moto and of SeaweedFS."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from contract.data_folders import DataUnderTest, in_store, on_disk
from s3_servers import S3Server
from unit.write.lake_samples import BLACK_FRIDAY_MS, DAY_MS, product_viewed, record, stage

from connector.errors import LedgerError, StoreError
from connector.events import Flag, Violation
from connector.lake.open import duckdb_type, open_lake
from connector.tables import TABLES, Column
from connector.write.data import StoreData
from connector.write.object_ledger import Intent, intent_name
from connector.write.parquet import PartWriter
from connector.write.sink import StagedFile

EVENTS = TABLES[0]


@pytest.fixture(params=["disk", "moto", "seaweed"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataUnderTest:
    if request.param == "disk":
        return on_disk(tmp_path / "data")
    return _in(request.getfixturevalue(request.param), tmp_path, monkeypatch)


@pytest.fixture(params=["moto", "seaweed"])
def remote(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataUnderTest:
    return _in(request.getfixturevalue(request.param), tmp_path, monkeypatch)


def _in(server: S3Server, work: Path, monkeypatch: pytest.MonkeyPatch) -> DataUnderTest:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return in_store(work / "work", server.store())


def _ok(place: DataUnderTest) -> None:
    assert place.audit().findings == ()
    assert place.data.names() == place.data.fold().live.keys()


def _rows(place: DataUnderTest, query: str, **more) -> list[tuple]:
    with place.lake(**more) as lake:
        return lake.execute(query).fetchall()


def test_what_is_published_is_in_the_ledger_in_the_audit_and_in_the_views(place):
    staged = [stage(place.folder, "h-1"), stage(place.folder, "h-2", stored=5, rejected=0)]
    outputs = {output for file in staged for output in file.record.files}

    assert place.publisher().publish(staged) == 2

    state = place.data.fold()
    assert {live.output for live in state.live.values()} == outputs
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
        (tag,) = {
            live.split(".")[-2 if live.endswith(".parquet") else -3] for live in state.live if name in live
        }
        assert tag in tags
    _ok(place)
    if place.in_store:
        assert place.data.in_flight(time.time_ns() // 1_000_000) == set()


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


def test_what_a_living_attempt_has_put_is_in_flight_and_no_finding(remote):
    now_ms = time.time_ns() // 1_000_000
    name = "tables/events/day=2026-11-27/h-1.p0.aaaaaaaaaa.parquet"
    remote.put(intent_name("ab12"), Intent("ab12", "h-1", (name,)).encoded())
    remote.put(name, b"")

    living = _audit_at(remote, now_ms)
    dead = _audit_at(remote, now_ms + 21 * 60_000)

    assert (living.ok, living.in_flight) == (True, 1)
    assert dead.findings == (f"{name} lies in the data folder and no ledger entry has it.",)


def _audit_at(place: DataUnderTest, now_ms: int):
    from connector.write.audit import audit

    return audit(place.data, journal_closed=None, now_ms=now_ms, pause=lambda: None)


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
    swept = remote.publisher().sweep(older_than_ms=0)

    assert (swept.names, swept.intents) == ((leftover,), 2)
    assert remote.data.names() == kept
    assert remote.publisher().sweep(older_than_ms=0).intents == 0
    _ok(remote)


def test_a_store_without_its_bucket_is_said_to_be_missing(moto, tmp_path, monkeypatch):
    place = _in(moto, tmp_path, monkeypatch)
    nowhere = moto.store(type(moto.place())("no-such-bucket", "lake/"))

    with pytest.raises(StoreError) as missing:
        in_store(tmp_path, nowhere).publish("h-1")

    assert (missing.value.code, missing.value.retryable) == ("store_missing", False)
    assert len(place.folder.stagings()) == 0


def _publish_rows(place: DataUnderTest, captured_file: str, tables, **rows: list[dict]) -> None:
    staging = place.folder.new_staging()
    writer = PartWriter(staging, tables, captured_file, 0, "aaaaaaaaaa")
    for table, of_table in rows.items():
        for row in of_table:
            writer.add(table, row)
    events = len({row["captured_index"] for of_table in rows.values() for row in of_table})
    told = record(captured_file, stored=events, outputs=tuple(writer.finish()))
    assert place.publisher().publish([StagedFile(staging, told)]) == 1


FULL = {
    "products": [{"sku": "45790-32", "price": Decimal("19.5"), "quantity": Decimal("0.25"), "position": 3}],
    "filters": [{"type": "price", "value": "under 5"}],
    "coupons": ["MAY5", "SPRING"],
    "quantity": Decimal("2.5"),
    "flags": [Flag("text_from_number", "userId")],
    "violations": [Violation("/properties/price", "type", "number", "string")],
    "received_at": BLACK_FRIDAY_MS + 250,
    "properties": '{"sku":"45790-32"}',
    "line_index": 0,
    "context_location_latitude": 52.5,
}


def test_values_of_every_type_come_back_as_declared(place):
    _publish_rows(place, "h-1", TABLES, events=[product_viewed("h-1", 0, **FULL)])

    ((*values,),) = _rows(place, f"SELECT {', '.join(FULL)}, day FROM events")

    product = dict.fromkeys(name for name in values[0][0]) | FULL["products"][0]
    assert values[:5] == [[product], FULL["filters"], FULL["coupons"], Decimal("2.500"),
                          [{"code": "text_from_number", "path": "userId"}]]  # fmt: skip
    assert values[6] == datetime(2026, 11, 27, 10, 0, 0, 250_000, tzinfo=UTC)
    assert values[7:] == [FULL["properties"], 0, 52.5, date(2026, 11, 27)]
    types = _rows(place, "SELECT column_name, column_type FROM (DESCRIBE events_raw)")
    declared = {column.name: duckdb_type(column.code) for column in EVENTS.columns}
    assert {name: _plain(kind) for name, kind in types} == {
        name: _plain(kind) for name, kind in {**declared, "day": "DATE"}.items()
    }


def _plain(kind: str) -> str:
    return kind.replace('"', "")


def test_the_views_are_those_of_a_folder_of_this_machine(place, tmp_path):
    copy = on_disk(tmp_path / "copy")
    for each in (place, copy):
        line = product_viewed("h-1", 9, **{**FULL, "event": "Product Purchased"})
        _publish_rows(each, "h-1", TABLES, events=[line])
        each.publish("h-2", "h-3")

    with place.lake() as one, copy.lake() as other:
        for view in ("events", "events_raw", "profiles", "order_lines", "orders", "rejected"):
            columns = f"SELECT column_name, column_type FROM (DESCRIBE {view}) ORDER BY 1"
            assert one.execute(columns).fetchall() == other.execute(columns).fetchall()
        for view in ("events_raw", "events", "order_lines", "rejected"):
            rows = f"SELECT * FROM {view} ORDER BY captured_file, captured_index"
            assert one.execute(rows).fetchall() == other.execute(rows).fetchall() != []


def test_a_column_that_older_files_lack_is_null_in_them(place):
    newer = (EVENTS.with_columns([Column("gift_note", "S", "what to write on the card")]), *TABLES[1:])
    _publish_rows(place, "h-1", TABLES, events=[product_viewed("h-1", 0)])
    _publish_rows(place, "h-2", newer, events=[product_viewed("h-2", 1, gift_note="For Ada")])

    query = "SELECT captured_file, gift_note FROM events ORDER BY ALL"
    assert _rows(place, query, tables=newer) == [("h-1", None), ("h-2", "For Ada")]


def test_copies_of_a_row_show_once_in_the_view_and_all_in_its_raw_twin(place):
    place.publish("h-1", "h-2")

    counts = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM events_raw)"
    assert _rows(place, counts) == [(3, 6)]


def test_the_views_can_show_one_source_alone(place):
    _publish_rows(
        place, "h-1", TABLES,
        events=[product_viewed("h-1", 0), product_viewed("h-1", 1, source="o'neill")],
    )  # fmt: skip
    place.publish("h-2", stored=0)

    for source, events, rejected in (("web", 1, 1), ("o'neill", 1, 0), ("nobody", 0, 0)):
        counts = (
            "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM events_raw), count(*) FROM rejected"
        )
        assert _rows(place, counts, source=source) == [(events, events, rejected)]
    assert _rows(place, "SELECT count(*) FROM events") == [(2,)]


@pytest.fixture
def two_days(remote: DataUnderTest) -> Iterator[DataUnderTest]:
    """Black Friday, and a Saturday whose file nobody can read any more."""
    rows = [product_viewed("h-1", index, timestamp=BLACK_FRIDAY_MS + index * DAY_MS) for index in range(2)]
    _publish_rows(remote, "h-1", TABLES, events=rows)
    (saturday,) = [name for name in remote.data.names() if "day=2026-11-28" in name]
    remote.delete(saturday)
    return remote


@pytest.mark.parametrize(
    "days",
    ["day = DATE '2026-11-27'", "day < DATE '2026-11-28'", "day BETWEEN DATE '2026-11-01' AND '2026-11-27'",
     "day = DATE '2026-11-27' AND event = 'Product Viewed' AND price > 3 AND source = 'web'"],
)  # fmt: skip
def test_a_query_for_one_day_does_not_read_the_others(two_days, days):
    with two_days.lake() as lake:
        assert lake.execute(f"SELECT count(*), max(price) FROM events_raw WHERE {days}").fetchall() == [
            (1, Decimal("19.990000"))
        ]
        with pytest.raises(Exception, match="2026-11-28"):
            lake.execute("SELECT max(price) FROM events_raw").fetchall()


def test_days_events_and_columns_are_asked_of_the_files_and_not_of_their_rows(remote):
    """Row groups without the event are passed over by what the file says of itself."""
    remote.publish("h-1")

    with remote.lake() as lake:
        query = "SELECT price FROM events_raw WHERE day = DATE '2026-11-27' AND event = 'Order Completed'"
        ((_, plan),) = lake.execute(f"EXPLAIN {query}").fetchall()

    assert "ARROW_SCAN" in plan
    assert "\"event\" = 'Order Completed'" in plan
    assert "\"day\" = DATE '2026-11-27'" in plan
    assert "user_id" not in plan


def test_rejected_files_are_downloaded_for_as_long_as_the_lake_is_open(remote, tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    remote.publish("h-1", "h-2")

    lake = remote.lake()
    (folder,) = (tmp_path / "temporary").iterdir()
    assert len(list(folder.iterdir())) == 2
    assert lake.execute("SELECT captured_file FROM rejected ORDER BY 1").fetchall() == [("h-1",), ("h-2",)]
    lake.close()
    del lake

    assert not folder.exists()


def test_the_audit_downloads_one_file_at_a_time_and_leaves_none(remote, tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    remote.publish("h-1", "h-2")
    most = []

    class Counting(StoreData):
        def file(self, name):
            most.append(len(list((tmp_path / "temporary").rglob("h-*"))))
            return super().file(name)

    remote.data = Counting(remote.data.store)
    assert remote.audit().ok

    assert (max(most), list((tmp_path / "temporary").iterdir())) == (0, [])


def test_only_s3_can_be_read_where_it_is():
    from object_stores import MemoryStore

    with pytest.raises(TypeError, match="memory://lake"):
        open_lake(StoreData(MemoryStore()))


def test_a_file_that_is_not_there_is_not_found(place):
    with pytest.raises(FileNotFoundError, match="tables/x"), place.data.file("tables/x"):
        pass
