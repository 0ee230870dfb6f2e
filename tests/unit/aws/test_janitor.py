"""The janitor Lambda: the passes of ``connector serve``, as far as an invocation's time goes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from aws_journal import Context, Deployment, deployed, figures, frame, joined, news
from contract.data_folders import DataUnderTest, on_disk
from contract.publishing import publish_rows, view
from object_stores import Killed
from s3_servers import S3Server

from connector.aws import janitor as function
from connector.aws.janitor import LEAST_MS, Janitor
from connector.config import Settings, load_settings
from connector.errors import LedgerError
from connector.s3.store import S3Store
from connector.write import object_publish
from connector.write.ledger import fold
from connector.write.object_ledger import INTENTS

TODAY_MS = int(datetime.now(UTC).timestamp()) // 86_400 * 86_400_000
DAYS_AGO = [TODAY_MS - days * 86_400_000 for days in (30, 26, 22)]
ENOUGH, TOO_LITTLE = LEAST_MS, LEAST_MS - 1


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data=str(tmp_path / "data"), grace_seconds=0)


@pytest.fixture
def place(settings: Settings) -> DataUnderTest:
    """Two files on each of three days, of which one row is there twice."""
    place = on_disk(settings.data_path)
    for day, timestamp_ms in enumerate(DAYS_AGO):
        for file in (0, 1):
            number = 10 * day + (file if day else 0)
            name = f"h-{day}{file}"
            publish_rows(place, name, events=[view(name, 0, number, timestamp=timestamp_ms)])
    return place


def days_with_one_file(settings: Settings) -> list[str]:
    days = [name.split("/")[2] for name in fold(settings.data_path).tables]
    return sorted(day for day in set(days) if days.count(day) == 1)


def test_small_files_are_merged_and_copies_go(
    settings: Settings, place: DataUnderTest, capsys: pytest.CaptureFixture[str]
):
    Janitor(settings)(Context())

    assert len(days_with_one_file(settings)) == 3
    assert figures(capsys.readouterr().out) == {"DaysCompacted": 3, "FilesMerged": 6, "DuplicatesRemoved": 1}
    assert len(place.data.names() - {name for name in place.data.names() if "duplicates/" in name}) == 3
    assert place.audit().findings == ()


def test_no_further_day_is_begun_when_the_time_is_short_and_the_newest_come_first(
    settings: Settings, place: DataUnderTest, capsys: pytest.CaptureFixture[str]
):
    janitor = Janitor(settings)

    janitor(Context([ENOUGH, TOO_LITTLE]))
    (first,) = days_with_one_file(settings)
    assert first == f"day={datetime.fromtimestamp(DAYS_AGO[-1] / 1000, UTC):%Y-%m-%d}"
    janitor(Context())

    assert len(days_with_one_file(settings)) == 3, "the next invocation goes on, not an hour later"
    assert figures(capsys.readouterr().out)["DaysCompacted"] == 3


def test_what_goes_wrong_is_counted_and_tried_again(
    settings: Settings,
    place: DataUnderTest,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    janitor = Janitor(settings)

    def refuse(*_: object) -> None:
        raise LedgerError("entry 3 is missing")

    with monkeypatch.context() as broken:
        broken.setattr("connector.compaction.Compactor.days", refuse)
        janitor(Context())
    assert figures(capsys.readouterr().out) == {"JanitorErrors": 1}

    janitor(Context())
    assert len(days_with_one_file(settings)) == 3


def test_what_a_dead_writer_left_is_swept(seaweed: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The functions that write do not sweep: this one does."""
    with deployed(seaweed, tmp_path, monkeypatch) as shop:
        leave_an_attempt(shop, monkeypatch)
        assert len(list(shop.data.store.find(INTENTS))) == 1
        janitor = Janitor(shop.settings())

        janitor(Context())
        assert len(list(shop.data.store.find(INTENTS))) == 1, "it may be alive"
        swept = object_publish.ObjectPublisher.sweep
        monkeypatch.setattr(object_publish.ObjectPublisher, "sweep", lambda publisher: swept(publisher, 0, 0))
        janitor(Context())

        assert list(shop.data.store.find(INTENTS)) == []
        assert shop.data.names() == set()


def leave_an_attempt(shop: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that is killed after its outputs, before its record."""
    made = shop.put("a.gz", joined(frame("m-1")))
    write = shop.writer()

    def dies(*_: object) -> bool:
        raise Killed

    with monkeypatch.context() as killed:
        killed.setattr(S3Store, "create", dies)
        with pytest.raises(Killed):
            write(news(made), Context())


def test_the_handler_makes_one_janitor_for_all_invocations(
    settings: Settings, place: DataUnderTest, monkeypatch: pytest.MonkeyPatch
):
    function.prepared.cache_clear()
    monkeypatch.setattr(function, "settings_with_secrets", lambda: settings)
    try:
        function.handler({"source": "aws.events"}, Context())
        assert function.prepared() is function.prepared()
    finally:
        function.prepared.cache_clear()
    assert len(days_with_one_file(settings)) == 3
