"""Copies and identities lie prepared beside the tables: in a folder, in moto and in SeaweedFS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from contract.data_folders import DataUnderTest, on_disk, place_of
from contract.publishing import ask, compact, proven, publish_rows, view
from prometheus_client import CollectorRegistry
from unit.write.lake_samples import BLACK_FRIDAY_MS, DAY_MS

from connector.commands.compact import run
from connector.config import Settings, load_settings
from connector.janitor import Figures
from connector.lake.open import open_lake
from connector.prepared import Preparer, Resolution, discard, resolve
from connector.rounds.passes import Passes
from connector.write.data import StoreData
from connector.write.sweep import sweep

FRIDAY_MS, SPRING_MS = BLACK_FRIDAY_MS, BLACK_FRIDAY_MS + 100 * DAY_MS


@pytest.fixture(params=["disk", "moto", "seaweed"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataUnderTest:
    return place_of(request, tmp_path, monkeypatch)


@pytest.fixture(params=["moto"])
def remote(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataUnderTest:
    return place_of(request, tmp_path, monkeypatch)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data=str(tmp_path / "data"), compact_seconds=30, grace_seconds=0)


def publish_two_copies(place: DataUnderTest) -> None:
    """Of Ada, on her laptop: two events, one of which is delivered again the same day and in spring."""
    hers: dict[str, Any] = {"anonymous_id": "laptop", "user_id": "ada"}
    publish_rows(place, "h-1", events=[view("h-1", 0, 1, **hers), view("h-1", 1, 2, **hers)])
    publish_rows(place, "h-2", events=[view("h-2", 0, 1, received_at=FRIDAY_MS + 60_000)])
    late = view("h-3", 0, 1, timestamp=SPRING_MS)
    publish_rows(place, "h-3", events=[late, view("h-3", 1, 3, timestamp=SPRING_MS)])


def prepare(place: DataUnderTest) -> Resolution | None:
    return Preparer(place.data, place.folder).run()


def resolved(place: DataUnderTest, **how: Any) -> tuple[Resolution, list[tuple[Any, ...]]]:
    """What it took, and the rows that count."""
    state = place.data.fold()
    with open_lake(place.data, rejected=False, state=state) as lake:
        done = resolve(lake, place.data, state, **how)
        return done, lake.execute("SELECT * FROM unique_events ORDER BY row_id").fetchall()


def test_readers_find_it_done_and_read_only_what_is_new(place):
    publish_two_copies(place)
    first = prepare(place)
    done, rows = resolved(place)

    assert first == Resolution(2, 2, 5, copies=2, devices=1, reused=False, saved=True)
    assert done == Resolution(2, 0, 0, copies=2, devices=1, reused=True, saved=False)
    assert rows == ask(place, "SELECT * FROM events ORDER BY row_id")

    publish_rows(place, "h-4", events=[view("h-4", 0, 4, timestamp=SPRING_MS, anonymous_id="phone")])
    done, rows = resolved(place)

    assert done == Resolution(2, 1, 3, copies=2, devices=1 + 1, reused=True, saved=True)
    assert rows == ask(place, "SELECT * FROM events ORDER BY row_id")


def test_compaction_changes_files_and_not_what_is_found(tmp_path):
    place = on_disk(tmp_path / "data")
    publish_two_copies(place)
    _, before = resolved(place)

    compact(place)
    done, rows = resolved(place)

    assert rows == before
    assert (done.copies, done.devices, done.reused) == (1, 1, True), "the copy of the same day is gone"


def test_the_audit_holds_and_nothing_sweeps_what_lies_prepared(place):
    publish_two_copies(place)
    prepare(place)
    compact(place)
    place.publisher().remove_old(0)
    if isinstance(place.data, StoreData):
        assert sweep(place.data.store, 0, 0, clock_seconds=lambda: 0.0).names == ()

    assert proven(place) == {"stored": 4, "duplicate": 1}
    assert place.data.names() == set(place.data.fold().live)
    assert resolved(place)[0].reused


def test_there_is_nothing_to_do_until_files_change(tmp_path):
    place = on_disk(tmp_path / "data")
    publish_two_copies(place)
    preparer = Preparer(place.data, place.folder)

    assert preparer.run() is not None
    assert preparer.run() is None
    publish_rows(place, "h-4", events=[view("h-4", 0, 4)])
    again = preparer.run()

    assert again is not None
    assert again.days_read == 1
    assert [path for path in place.folder.stagings() if path.name.startswith("spill")] == []


def test_what_lies_prepared_can_be_discarded(tmp_path):
    place = on_disk(tmp_path / "data")
    publish_two_copies(place)
    prepare(place)

    discard(place.data)
    done, _ = resolved(place, keep=False)

    assert (done.reused, done.saved, done.copies) == (False, False, 2)


def test_in_s3_a_question_about_one_day_opens_no_other(remote):
    publish_two_copies(remote)
    state = remote.data.fold()
    with open_lake(remote.data, rejected=False, state=state) as lake:
        resolve(lake, remote.data, state)
        for name in state.tables:
            if "day=2026-11-27" not in name:
                remote.delete(name)
        query = "SELECT count(*), max(price) FROM unique_events WHERE event = 'Product Viewed' AND day {}"
        for friday in ("= DATE '2026-11-27'", "< DATE '2026-12-01'"):
            assert lake.execute(query.format(friday)).fetchall()[0][0] == 2
        with pytest.raises(Exception, match="events_files"):
            lake.execute(query.format("> DATE '2026-11-27'")).fetchall()


def test_connector_compact_prepares_and_says_so(settings, capsys):
    publish_two_copies(on_disk(settings.data_path))

    assert run(settings, None, None) == 0

    assert "prepared: 1 copies, 1 devices with a user; 2 of 2 days read (4 rows), saved" in " ".join(
        capsys.readouterr().err.split()
    )
    assert resolved(on_disk(settings.data_path))[0].reused


def test_the_janitor_prepares_after_every_pass_that_finds_something_new(settings, caplog):
    caplog.set_level("INFO", "connector.janitor")
    place = on_disk(settings.data_path)
    publish_two_copies(place)
    janitor = Passes(settings, Figures(CollectorRegistry()))

    janitor.next()
    janitor.next()

    assert [line for line in caplog.messages if line.startswith("prepared")] == [
        "prepared: 1 copies, 1 devices with a user; 2 of 2 days read (4 rows), saved"
    ]
    assert resolved(place)[0].reused


@pytest.mark.parametrize("trouble", [OSError, ValueError])
def test_compaction_goes_on_when_nothing_can_be_prepared(settings, trouble, monkeypatch, caplog, capsys):
    publish_two_copies(on_disk(settings.data_path))

    def refuse(*_: object, **__: object) -> None:
        raise trouble("no space, or a defect")

    monkeypatch.setattr("connector.prepared.preparer.resolve", refuse)

    assert Passes(settings, Figures(CollectorRegistry())).next() == 30
    assert "duplicates and identities were not prepared" in caplog.text
    assert run(settings, None, None) == 0
    assert "not prepared" in capsys.readouterr().err
