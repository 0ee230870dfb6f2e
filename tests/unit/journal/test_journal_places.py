"""Captured files that a person means: where they lie, whose they are, which day, in which order they come."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ConfigError
from connector.journal.archive import Days, Origin, may_hold_events, origin_of, received_day
from connector.journal.listing import Listing
from connector.journal.places import FilePlace, ObjectPlace
from connector.s3.objects import S3Object

WEB, TILL = "aLdErWeb01", "aLdErTill02"
NOV_21, NOV_22, NOV_23 = (date(2026, 11, day) for day in (21, 22, 23))
ETAG = "9b2cf535f27731c974343645a3985328"


def folder_of(day: date) -> str:
    """Segment's own name of a day: milliseconds at midnight, UTC."""
    return str(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000)


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}\n")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two sources, three days, and what lies beside them."""
    for source_id, days in ((WEB, (NOV_21, NOV_22)), (TILL, (NOV_22, NOV_23))):
        for day in days:
            write(tmp_path / "kept/segment-logs" / source_id / folder_of(day), "b.gz", "a.gz", "deep/c.gz")
    write(tmp_path / "kept", "segment-logs/dummy-object.txt", ".hidden/d.gz", "notes.md", "plain.ndjson")
    return tmp_path / "kept"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the folders that are listed, as they are."""
    seen: list[str] = []
    real = os.scandir

    def scandir(path: str) -> object:
        seen.append(Path(path).name)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    return seen


def found(*arguments: object, days: Days = Days()) -> list[tuple[date | None, str | None, str]]:  # noqa: B008
    listing = Listing([str(argument) for argument in arguments], days)
    return [(place.day, place.source_id, Path(place.name).name) for place in listing]


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        (f"segment-logs/{WEB}/1795219200000/a.gz", Origin(WEB, NOV_21)),
        (f"/mnt/x/segment-logs/{WEB}/1795219200/a.gz", Origin(WEB, NOV_21)),
        (f"prefix/segment-logs/{WEB}/2026-11-21/deep/a.gz", Origin(WEB, NOV_21)),
        (f"segment-logs/{WEB}/1795219200000/", Origin(WEB, NOV_21)),
        (f"segment-logs/{WEB}/1795262400000/a.gz", Origin(WEB, NOV_21)),
        (f"2026-11-23/segment-logs/{WEB}/2026-11-21/a.gz", Origin(WEB, NOV_21)),
        (f"segment-logs/{WEB}/a.gz", Origin(WEB, None)),
        (f"segment-logs/{WEB}/latest/a.gz", Origin(WEB, None)),
        ("segment-logs/dummy-object.txt", Origin()),
        (f"old-segment-logs/{WEB}/1795219200000/a.gz", Origin()),
        ("data/journal/done/2026-11-21/20261121T215204123Z-web1-4711-7f3a9c21.gz", Origin(None, NOV_21)),
        ("done/1795219200000/a.gz", Origin()),
        ("exports/2026-11-21/a.ndjson", Origin()),
        ("exports/done/2026-02-30/a.ndjson", Origin()),
    ],
)
def test_a_path_says_whose_events_a_file_holds_and_when_they_were_received(path: str, origin: Origin):
    assert origin_of(path) == origin


@given(st.dates(date(2001, 9, 10), date(2286, 11, 19)))
def test_a_day_is_the_same_in_seconds_in_milliseconds_and_as_a_date(day: date):
    milliseconds = folder_of(day)

    assert received_day(milliseconds) == received_day(milliseconds[:-3]) == received_day(str(day)) == day


@pytest.mark.parametrize("name", ["", "179521920000", "2026-11-21T00", "-795219200", "٢٠٢٦-١١-٢١"])
def test_other_names_are_no_days(name: str):
    assert received_day(name) is None


def test_both_ends_of_the_days_that_are_wanted_are_included():
    three = [NOV_21, NOV_22, NOV_23]

    assert [day in Days(NOV_22, NOV_22) for day in three] == [False, True, False]
    assert [day in Days(since=NOV_22) for day in three] == [False, True, True]
    assert [day in Days(until=NOV_22) for day in three] == [True, True, False]
    assert all(day in Days() for day in three)


def test_a_first_day_behind_the_last_is_refused():
    with pytest.raises(ConfigError, match="--since 2026-11-22 is after --until 2026-11-21"):
        Days(NOV_22, NOV_21)


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("a.gz", True), ("a", True), ("deep/a.ndjson", True), ("deep.csv/", True), ("", True),
        ("dummy-object.txt", False), ("deep/dummy-object.txt", False), (".a.gz", False), ("d/.x/a", False),
        ("f.open", False), ("f.new", False), ("f.gz.1-2.part", False), ("a.parquet", False), ("a.csv", False),
    ],
)  # fmt: skip
def test_what_lies_beside_captured_files_is_passed_over(name: str, may: bool):
    assert may_hold_events(name) is may


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("..", 13),
        ("", 13),
        ("segment-logs", 12),
        (f"segment-logs/{WEB}", 6),
        (f"segment-logs/{WEB}/{folder_of(NOV_21)}", 3),
        (f"segment-logs/{WEB}/{folder_of(NOV_21)}/deep", 1),
        (f"segment-logs/{WEB}/{folder_of(NOV_21)}/a.gz", 1),
        (f"segment-logs/*/{folder_of(NOV_22)}", 6),
    ],
)
def test_an_archive_is_recognised_wherever_an_argument_enters_it(archive: Path, argument: str, expected: int):
    files = found(archive / argument)

    assert len(files) == expected
    assert all((source_id, day) != (None, None) for day, source_id, name in files if name != "plain.ndjson")


def test_a_relative_argument_inside_the_archive_still_knows_source_and_day(
    archive: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(archive / "segment-logs" / WEB / folder_of(NOV_21))

    assert found(".") == [(NOV_21, WEB, name) for name in ("a.gz", "b.gz", "c.gz")]


def test_files_come_by_day_then_name_and_what_has_no_day_first(archive: Path):
    assert found(archive / "segment-logs" / WEB, archive) == [
        (None, None, "plain.ndjson"),
        *((NOV_21, WEB, name) for name in ("a.gz", "b.gz", "c.gz")),
        *((NOV_22, TILL, name) for name in ("a.gz", "b.gz", "c.gz")),
        *((NOV_22, WEB, name) for name in ("a.gz", "b.gz", "c.gz")),
        *((NOV_23, TILL, name) for name in ("a.gz", "b.gz", "c.gz")),
    ]


def test_folders_of_other_days_are_not_even_listed(archive: Path, opened: list[str]):
    listing = Listing([str(archive)], Days(NOV_23, NOV_23))

    assert [(place.day, place.source_id) for place in listing] == [(NOV_23, TILL)] * 3
    assert set(opened) == {"kept", "segment-logs", WEB, TILL, folder_of(NOV_23), "deep"}
    assert (listing.other_days, listing.without_day) == (3, 1)


def test_a_day_folder_is_listed_when_its_turn_comes(archive: Path, opened: list[str]):
    places = iter(Listing([str(archive / "segment-logs")]))

    assert next(places).day == NOV_21
    assert folder_of(NOV_22) not in opened


def test_folders_of_the_journal_are_days_too(tmp_path: Path):
    write(tmp_path / "journal", "done/2026-11-21/a.gz", "done/2026-11-22/b.gz", "closed/c", "open/d.open")

    assert found(tmp_path) == [(None, None, "c"), (NOV_21, None, "a.gz"), (NOV_22, None, "b.gz")]
    assert found(tmp_path, days=Days(until=NOV_21)) == [(NOV_21, None, "a.gz")]


def test_a_file_that_is_named_is_taken_whatever_it_is_called(tmp_path: Path):
    write(tmp_path, "dummy-object.txt", ".hidden", "events.csv")

    assert [name for _, _, name in found(*sorted(tmp_path.iterdir()))] == [
        ".hidden", "dummy-object.txt", "events.csv"
    ]  # fmt: skip


def test_a_file_that_is_named_obeys_the_days(archive: Path):
    path = archive / "segment-logs" / WEB / folder_of(NOV_21) / "a.gz"

    assert found(path, days=Days(since=NOV_22)) == []
    assert found(path, days=Days(until=NOV_21)) == [(NOV_21, WEB, "a.gz")]


def names_nothing(root: Path) -> Path:
    return root / "nothing*"


def names_an_open_file(root: Path) -> Path:
    write(root, "f.open")
    return root / "f.open"


def names_a_data_folder(root: Path) -> Path:
    write(root, "ledger/changes/000000000001.json", "tables/events/day=2026-11-21/a.parquet")
    return root


def names_what_holds_a_data_folder(root: Path) -> Path:
    names_a_data_folder(root / "lake")
    return root


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (names_nothing, "no such file or folder, and no match"),
        (names_an_open_file, "connector drain"),
        (names_a_data_folder, "name its journal/done or journal/closed instead"),
        (names_what_holds_a_data_folder, "lake: is a data folder"),
    ],
)
def test_an_argument_that_leads_nowhere_says_what_to_do(
    tmp_path: Path, make: Callable[[Path], Path], said: str
):
    named = make(tmp_path)

    with pytest.raises(ConfigError, match=said) as refused:
        list(Listing([str(named)]))

    assert str(tmp_path) in str(refused.value)


@pytest.mark.parametrize("argument", ["gs://bucket/prefix", "s3://", "s3:///segment-logs"])
def test_an_address_of_another_kind_is_refused(argument: str):
    with pytest.raises(ConfigError, match="is neither a path nor s3://bucket/prefix"):
        Listing([argument])


def listed(key: str = f"segment-logs/{WEB}/{folder_of(NOV_21)}/a.gz", etag: str = ETAG) -> ObjectPlace:
    return ObjectPlace.of(S3Object("archive", key, etag, 2_006, 1_795_297_924_123))


def test_an_object_is_named_by_bucket_key_and_etag():
    place = listed()

    text = f"archive/{place.listed.key}\n{ETAG}"
    assert place.captured_file == f"s-{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    assert listed(etag="rewritten").captured_file != place.captured_file
    assert listed(key="elsewhere.gz").captured_file != place.captured_file


def test_places_know_day_and_source_and_travel_to_other_processes(tmp_path: Path):
    here = FilePlace.of(tmp_path / "segment-logs" / WEB / "2026-11-21" / "a.gz")

    for place in (here, listed()):
        assert pickle.loads(pickle.dumps(place)) == place
        assert (place.source_id, place.day) == (WEB, NOV_21)
    assert here.name == str(here.path)
    assert listed().name == f"s3://archive/segment-logs/{WEB}/1795219200000/a.gz"
