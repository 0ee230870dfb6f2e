"""The janitor: pass after pass, whatever goes wrong in one of them."""

from __future__ import annotations

import errno
from datetime import UTC, datetime
from pathlib import Path

import pytest
from contract.data_folders import DataUnderTest, on_disk
from contract.publishing import publish_rows, view
from prometheus_client import CollectorRegistry

from connector.config import Settings, load_settings
from connector.errors import LedgerError
from connector.janitor import Figures
from connector.rounds.passes import Passes
from connector.write.ledger import fold

TODAY_MS = int(datetime.now(UTC).timestamp()) // 86_400 * 86_400_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data=str(tmp_path / "data"), compact_seconds=30, grace_seconds=0)


@pytest.fixture
def place(settings: Settings) -> DataUnderTest:
    return on_disk(settings.data_path)


def publish(place: DataUnderTest, first: int, files: int, timestamp_ms: int) -> None:
    for number in range(first, first + files):
        publish_rows(place, f"h-{number}", events=[view(f"h-{number}", 0, number, timestamp=timestamp_ms)])


def table_files(settings: Settings) -> int:
    return len(fold(settings.data_path).tables)


def test_every_day_is_looked_at_first_and_then_only_those_that_grow(settings, place, monkeypatch):
    publish(place, 0, 2, TODAY_MS - 10 * 86_400_000)
    registry = CollectorRegistry()
    janitor = Passes(settings, Figures(registry))

    assert janitor.next() == 30
    assert table_files(settings) == 1
    assert registry.get_sample_value("connector_compacted_files_total") == 2
    assert len(place.data.names()) == 1, "no grace: replaced files are gone"

    publish(place, 10, 2, TODAY_MS - 10 * 86_400_000)
    publish(place, 20, 7, TODAY_MS)
    janitor.next()
    assert table_files(settings) == 1 + 2 + 7
    publish(place, 30, 1, TODAY_MS)
    janitor.next()
    assert table_files(settings) == 1 + 2 + 1

    monkeypatch.setattr("connector.rounds.passes._CLOSED_SECONDS", 0.0)
    janitor.next()
    assert table_files(settings) == 1 + 1


@pytest.mark.parametrize("trouble", [LedgerError("entry 3 is missing"), OSError(errno.ENOSPC, "no space")])
def test_what_goes_wrong_is_said_and_tried_again_later_and_later(
    settings, place, trouble, monkeypatch, caplog
):
    janitor = Passes(settings, Figures(CollectorRegistry()))

    def refuse(*_: object) -> None:
        raise trouble

    monkeypatch.setattr("connector.compaction.Compactor.days", refuse)
    pauses = [janitor.next() for _ in range(3)]

    assert pauses == [30, 60, 120]
    assert "the tables were not compacted" in caplog.text
    monkeypatch.undo()
    assert janitor.next() == 30


def test_it_stops_between_two_days(settings, place):
    for day in range(3):
        publish(place, day * 10, 2, TODAY_MS - (20 + 3 * day) * 86_400_000)
    asked = iter([False, True, True])

    Passes(settings, Figures(CollectorRegistry())).next(lambda: next(asked))

    assert table_files(settings) == 1 + 2 + 2
