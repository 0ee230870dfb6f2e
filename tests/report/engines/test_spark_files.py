"""How files get to Spark, and what is said where there is no Spark. Nothing here starts one."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from conftest import require
from contract.data_folders import DataUnderTest, on_disk, place_of
from contract.publishing import compact, publish_rows, view
from unit.write.lake_samples import BLACK_FRIDAY_MS, DAY_MS, product_viewed

from connector.errors import ConfigError
from connector.lake.faults import LakeUnreadable
from connector.report.desks.spark import spark_schema, spark_session, spark_type
from connector.report.desks.spark_files import lay_out
from connector.tables import ALIASES, EVENTS, PROFILES, TABLES


@pytest.fixture(params=["disk", "moto"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataUnderTest:
    return place_of(request, tmp_path, monkeypatch)


def _laid(place: DataUnderTest, folder: Path) -> dict[str, list[Path]]:
    folder.mkdir()
    found = lay_out(place.data, [EVENTS, PROFILES], folder)
    return {name: sorted(target.glob("*/*")) for name, target in found.items()}


def _publish(place: DataUnderTest) -> None:
    later = product_viewed("h-1", 1, timestamp=BLACK_FRIDAY_MS + DAY_MS)
    publish_rows(place, "h-1", TABLES, events=[product_viewed("h-1", 0), later])


def test_live_files_lie_in_the_folder_of_their_day(place, tmp_path):
    _publish(place)

    laid = _laid(place, tmp_path / "laid")

    assert [path.parent.name for path in laid["events"]] == ["day=2026-11-27", "day=2026-11-28"]
    assert [path.name for path in laid["events"]] == ["00000000.parquet", "00000001.parquet"]
    assert [pq.ParquetFile(path).metadata.num_rows for path in laid["events"]] == [1, 1]
    assert laid["profiles"] == []


def test_what_a_change_removed_is_not_there(place, tmp_path):
    for number, name in enumerate(("h-1", "h-2")):
        publish_rows(place, name, TABLES, events=[view(name, 0, number)])
    compact(place)

    (only,) = _laid(place, tmp_path / "laid")["events"]

    assert pq.ParquetFile(only).metadata.num_rows == 2


def test_a_folder_without_a_ledger_is_read_as_it_is(tmp_path):
    _publish(on_disk(tmp_path / "full"))
    bare = tmp_path / "bare"
    for path in (tmp_path / "full").glob("tables/*/*/*.parquet"):
        target = bare / path.relative_to(tmp_path / "full")
        target.parent.mkdir(parents=True)
        target.write_bytes(path.read_bytes())

    assert len(_laid(on_disk(bare), tmp_path / "laid")["events"]) == 2


def test_a_file_that_is_gone_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("connector.report.desks.spark_files._PAUSE_SECONDS", 0)
    place = on_disk(tmp_path / "lake")
    _publish(place)
    next((tmp_path / "lake").glob("tables/events/*/*.parquet")).unlink()

    with pytest.raises(LakeUnreadable, match=r"^tables/events/day=2026-11-27/.* is in the ledger and not"):
        _laid(place, tmp_path / "laid")


def test_the_schema_has_every_declared_column_in_order():
    for table in (EVENTS, PROFILES, ALIASES):
        columns = spark_schema(table).split(", `")
        assert len(columns) >= len(table.columns)
        assert spark_schema(table).startswith("`row_id` STRING, `message_id` STRING, ")
    assert spark_type("M") == "DECIMAL(18,6)"
    assert spark_type("F") == "ARRAY<STRUCT<`code`: STRING, `path`: STRING>>"


def test_without_pyspark_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)

    with pytest.raises(ConfigError, match=r"pip install 'segment-lake-connector\[spark\]'"), spark_session():
        pass


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_java_it_is_java_that_is_missed(monkeypatch, tmp_path):
    require(find_spec("pyspark"), "pyspark")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "none"))

    with pytest.raises(ConfigError, match="Spark did not start; it needs Java 17 or later"), spark_session():
        pass
