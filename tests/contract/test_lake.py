"""The views over every data folder, asked of a folder of this machine, of moto and of SeaweedFS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from contract.data_folders import DataUnderTest, on_disk, place_of
from contract.publishing import publish_rows
from unit.write.lake_samples import BLACK_FRIDAY_MS, DAY_MS, product_viewed

from connector.events import Flag, Violation
from connector.lake.faults import LakeUnreadable, lake_errors
from connector.lake.open import open_lake, show_lines
from connector.lake.views import duckdb_type
from connector.tables import TABLES, Column
from connector.write.data import StoreData

EVENTS = TABLES[0]


@pytest.fixture(params=["disk", "moto", "seaweed"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataUnderTest:
    return place_of(request, tmp_path, monkeypatch)


@pytest.fixture(params=["moto", "seaweed"])
def remote(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataUnderTest:
    return place_of(request, tmp_path, monkeypatch)


def _rows(place: DataUnderTest, query: str, **more) -> list[tuple]:
    with place.lake(**more) as lake:
        return lake.execute(query).fetchall()


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
    publish_rows(place, "h-1", TABLES, events=[product_viewed("h-1", 0, **FULL)])

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
        publish_rows(each, "h-1", TABLES, events=[line])
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
    publish_rows(place, "h-1", TABLES, events=[product_viewed("h-1", 0)])
    publish_rows(place, "h-2", newer, events=[product_viewed("h-2", 1, gift_note="For Ada")])

    query = "SELECT captured_file, gift_note FROM events ORDER BY ALL"
    assert _rows(place, query, tables=newer) == [("h-1", None), ("h-2", "For Ada")]


def test_copies_of_a_row_show_once_in_the_view_and_all_in_its_raw_twin(place):
    place.publish("h-1", "h-2")

    counts = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM events_raw)"
    assert _rows(place, counts) == [(3, 6)]


def test_the_views_can_show_one_source_alone(place):
    publish_rows(
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
    publish_rows(remote, "h-1", TABLES, events=rows)
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


def test_rejected_files_are_downloaded_once_they_are_asked_for(remote, tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    remote.publish("h-1")

    with remote.lake(rejected=False) as lake:
        assert lake.execute("SELECT count(*) FROM events").fetchall() == [(3,)]
        assert list((tmp_path / "temporary").iterdir()) == []
        show_lines(lake, remote.data)
        assert lake.execute("SELECT code FROM rejected").fetchall() == [("not_json",)]


def test_a_lake_is_opened_with_the_fold_one_has(place):
    place.publish("h-1")
    state = place.data.fold()
    place.publish("h-2")

    assert _rows(place, "SELECT count(*) FROM events_raw", state=state) == [(3,)]
    assert _rows(place, "SELECT count(*) FROM events_raw") == [(6,)]


def test_a_file_that_cannot_be_read_is_an_error_of_one_line(place):
    place.publish("h-1")
    for name in place.data.fold().tables:
        place.put(name, b"no parquet")

    with (
        pytest.raises(LakeUnreadable, match=f"while reading {re.escape(place.data.uri)}: ") as unreadable,
        lake_errors(place.data.uri),
        place.lake() as lake,
    ):
        lake.execute("SELECT max(price) FROM events").fetchall()

    assert "\n" not in str(unreadable.value)


def test_what_is_wrong_with_a_query_is_said_as_duckdb_says_it(place):
    with pytest.raises(duckdb.CatalogException), lake_errors(place.data.uri), place.lake() as lake:
        lake.execute("SELECT * FROM evnets")


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
