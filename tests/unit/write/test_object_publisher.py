"""What a publisher to a store remembers and asks."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from lake_samples import record, stage
from object_stores import MemoryStore, Watched

from connector.write import object_publish
from connector.write.attempt import own_name
from connector.write.folder import DataFolder
from connector.write.object_publish import ObjectPublisher


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path)


@pytest.mark.parametrize(
    ("staged", "name"),
    [
        ("tables/events/day=2026-11-27/h-1.p0.aaaaaaaaaa.parquet",
         "tables/events/day=2026-11-27/h-1.p0.aaaaaaaaaa.0123456789abcdef.parquet"),
        ("rejected/day=2026-11-27/h-1.aaaaaaaaaa.ndjson.gz",
         "rejected/day=2026-11-27/h-1.aaaaaaaaaa.0123456789abcdef.ndjson.gz"),
    ],
)  # fmt: skip
def test_an_attempt_puts_its_digits_before_the_suffix(staged: str, name: str):
    assert own_name(staged, "0123456789abcdef" + "f" * 16) == name


def test_the_hash_of_a_record_is_asked_for_once_and_the_record_each_time(folder: DataFolder):
    store = MemoryStore()
    ObjectPublisher(folder, store).publish([stage(folder, "h-1")])
    watched = Watched(store)
    publisher = ObjectPublisher(folder, watched)

    assert [publisher.recorded_sha256("h-1") for _ in range(3)] == ["00"] * 3
    assert watched.calls == ["read"]
    store.objects.clear()
    assert publisher.record("h-1") is None
    assert publisher.recorded(["h-1"]) == set()


def test_a_file_that_waits_and_is_published_by_this_publisher_is_known_to_it(folder: DataFolder):
    retired: list[str] = []
    publisher = ObjectPublisher(folder, MemoryStore(), retire=retired.append, unretired=lambda: ["h-1"])
    publisher.recover()
    publisher.publish([stage(folder, "h-1")])

    publisher.recover()

    assert publisher.recorded_sha256("h-1") == "00"
    assert retired == ["h-1", "h-1"]


def test_files_that_wait_are_asked_for_once(folder: DataFolder):
    watched = Watched(MemoryStore())
    publisher = ObjectPublisher(folder, watched, unretired=lambda: ["h-1", "h-2"])
    for _ in range(3):
        publisher.recover()

    assert watched.calls == ["read", "read"]
    assert publisher.recorded_sha256("h-1") is None
    assert watched.calls == ["read", "read"]


def test_the_memory_keeps_to_its_limit_whichever_threads_fill_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(object_publish, "MEMORY_RECORDS", 50)
    memo = object_publish._Memo()
    errors: list[BaseException] = []

    def fill(who: int) -> None:
        try:
            for number in range(4_000):
                memo.add(record(f"{who}-{number}"))
        except BaseException as error:
            errors.append(error)

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=fill, args=(who,)) for who in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch)

    assert errors == []
    assert len(memo._sha256) == 50
    newest = [who for who in range(4) if memo.get(f"{who}-3999")]
    assert newest
