"""Write keys are public, so what comes with them never takes all of the journal's room."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from connector.errors import CannotKeep
from connector.events import Capture
from connector.journal.disk import Disk
from connector.journal.folders import JournalFolders
from connector.journal.limits import JournalLimits
from connector.journal.room import PUBLIC_RETRY_AFTER_SECONDS
from connector.journal.writer import JournalWriter

KIB = 1024
WEBHOOK = Capture("shop", "webhook", 1, b'{"type":"track"}', "all")


class SmallDisk(Disk):
    """A disk of a few hundred KiB: free is what the files below a folder do not take. Time stands still."""

    def __init__(self, root: Path, size_bytes: int = 2**40) -> None:
        self.root = root
        self.size_bytes = size_bytes
        self.seconds = 0.0

    def free_bytes(self, folder: Path) -> int:
        return self.size_bytes - sum(path.stat().st_size for path in self.root.rglob("*") if path.is_file())

    def monotonic(self) -> float:
        return self.seconds


def limits(**changed: object) -> JournalLimits:
    small = {"journal_reserve_bytes": 0, "journal_max_bytes": 400 * KIB, "roll_bytes": 32 * KIB}
    return JournalLimits(**{**small, **changed})


def public(size_bytes: int = 4 * KIB, refused: str | None = None) -> Capture:
    return Capture("web", "batch", 1, b"x" * size_bytes, "none", public=True, refused=refused)


def flood(writer: JournalWriter, capture: Capture, most: int = 1_000) -> int:
    """Append until it is refused for want of public room; return the bytes of the bodies that were kept."""
    kept: list[int] = []

    def send() -> None:
        while len(kept) < most:
            writer.append(capture)
            kept.append(len(capture.body))

    with pytest.raises(CannotKeep) as trouble:
        send()
    assert (trouble.value.code, trouble.value.status) == ("public_no_room", 503)
    assert trouble.value.retry_after_seconds == PUBLIC_RETRY_AFTER_SECONDS
    return sum(kept)


@pytest.mark.parametrize("probing", [False, True], ids=["one look", "a look each time"])
@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_flood_fills_its_share_of_the_backlog_and_webhooks_are_kept_as_before(
    tmp_path: Path, share: float, probing: bool
) -> None:
    disk = SmallDisk(tmp_path)
    writer = JournalWriter(tmp_path, limits(public_share=share, probe_seconds=0.0 if probing else 1.0), disk)

    kept_bytes = flood(writer, public())

    waiting = JournalFolders(tmp_path).total_bytes()
    assert share * 400 * KIB * 0.85 < kept_bytes < waiting <= share * 400 * KIB
    for _ in range(50):
        writer.append(WEBHOOK)
    assert writer.not_ready() is None
    writer.close()


def test_what_lies_in_open_files_counts_too(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, limits(roll_bytes=2**30), SmallDisk(tmp_path))

    kept_bytes = flood(writer, public())

    assert kept_bytes <= 200 * KIB
    assert list((tmp_path / "closed").iterdir()) == []
    writer.append(WEBHOOK)
    writer.close()


def test_the_share_is_of_the_whole_backlog_whoever_made_it(tmp_path: Path) -> None:
    """What another process wrote is found at the next look; what it was thought to take, corrected."""
    disk = SmallDisk(tmp_path)
    writer = JournalWriter(tmp_path, limits(), disk)
    other = JournalWriter(tmp_path, limits(), disk)
    writer.append(public())

    flood(other, public())
    disk.seconds += 1

    assert flood(writer, public()) <= 16 * KIB
    assert JournalFolders(tmp_path).total_bytes() <= 200 * KIB
    writer.append(WEBHOOK)
    writer.close()
    other.close()


def test_what_is_left_to_webhooks_is_more_than_the_reserve_once_all_that_waits_is_written(
    tmp_path: Path,
) -> None:
    """The writer may make two bytes of every one that waits."""
    disk = SmallDisk(tmp_path, size_bytes=512 * KIB)
    writer = JournalWriter(tmp_path, limits(journal_reserve_bytes=64 * KIB), disk)

    flood(writer, public())
    disk.seconds += 1
    flood(writer, public())

    waiting = JournalFolders(tmp_path).total_bytes()
    assert 2 * 64 * KIB <= disk.free_bytes(tmp_path) - 2 * waiting < 2 * 64 * KIB + 32 * KIB
    for _ in range(50):
        writer.append(WEBHOOK)
    (tmp_path / "tables").write_bytes(b"x" * 2 * waiting)
    disk.seconds += 1
    assert writer.not_ready() is None
    writer.append(WEBHOOK)
    writer.close()


def test_what_waits_from_before_needs_its_room_as_well(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "20261121T235951123Z-shop-1-00000000").write_bytes(b"x" * 100 * KIB)
    writer = JournalWriter(tmp_path, limits(journal_reserve_bytes=0), SmallDisk(tmp_path, 310 * KIB))

    assert flood(writer, public()) == 0
    writer.append(WEBHOOK)
    writer.close()


@pytest.mark.parametrize(("share", "free_kib"), [(0.25, 256), (0.5, 128), (0.8, 80)])
def test_the_smaller_the_share_the_earlier_it_ends(tmp_path: Path, share: float, free_kib: int) -> None:
    disk = SmallDisk(tmp_path, size_bytes=free_kib * KIB + 1)
    writer = JournalWriter(tmp_path, limits(journal_reserve_bytes=64 * KIB, public_share=share), disk)

    assert flood(writer, public()) == 0
    disk.size_bytes += 15 * KIB
    disk.seconds += 1
    assert flood(writer, public()) == 4 * KIB
    writer.close()


def test_there_is_room_again_when_the_backlog_is_worked_off(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path)
    writer = JournalWriter(tmp_path, limits(), disk)
    before = flood(writer, public())

    for path in (tmp_path / "closed").iterdir():
        path.unlink()
    disk.seconds += 1

    assert flood(writer, public()) > before / 2
    writer.close()


def test_threads_that_come_at_once_do_not_pass_the_share_together(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, limits(), SmallDisk(tmp_path))
    threads = [threading.Thread(target=flood, args=(writer, public(16 * KIB))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert JournalFolders(tmp_path).total_bytes() <= 200 * KIB
    writer.append(WEBHOOK)
    writer.close()


def test_a_body_above_the_whole_share_is_refused_and_leaves_the_room_to_others(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, limits(), SmallDisk(tmp_path))

    with pytest.raises(CannotKeep, match="write keys"):
        writer.append(public(201 * KIB))
    writer.append(public())
    writer.append(WEBHOOK)
    writer.close()


def test_a_capture_that_could_not_be_written_gives_its_room_back_at_the_next_look(tmp_path: Path) -> None:
    class Failing(SmallDisk):
        broken = True

        def sync(self, descriptor: int) -> None:
            if self.broken:
                raise OSError
            super().sync(descriptor)

        def write(self, descriptor: int, buffers: object) -> int:
            return 0 if self.broken else super().write(descriptor, buffers)

    disk = Failing(tmp_path)
    writer = JournalWriter(tmp_path, limits(), disk)
    for _ in range(10):
        with pytest.raises(CannotKeep) as trouble:
            writer.append(public(100 * KIB))
        assert trouble.value.code == "journal_failed"
        disk.seconds += 1

    disk.broken = False
    writer.append(public(100 * KIB))
    writer.close()


class TestTheDefaultBacklog:
    """Half of what is free at the start and what the journal holds then, together."""

    def refused_at(self, folder: Path, disk: SmallDisk) -> int:
        """Bytes of closed files at which a process that starts now accepts nothing more."""
        writer = JournalWriter(folder, limits(journal_max_bytes=None, probe_seconds=0.0), disk)
        webhook = Capture("shop", "webhook", 1, b"x" * 4 * KIB, "all")

        def send() -> None:
            while True:
                writer.append(webhook)

        with pytest.raises(CannotKeep) as trouble:
            send()
        assert trouble.value.code == "journal_backlog"
        backlog = sum(JournalFolders(folder).sizes().values())
        writer.close()
        return backlog

    def test_a_process_that_starts_again_over_a_backlog_has_the_same(self, tmp_path: Path) -> None:
        disk = SmallDisk(tmp_path, size_bytes=400 * KIB)
        at_first = self.refused_at(tmp_path, disk)

        assert 200 * KIB < at_first <= 240 * KIB
        for path in sorted((tmp_path / "closed").iterdir())[-2:]:
            path.unlink()
        assert 200 * KIB < self.refused_at(tmp_path, disk) <= 240 * KIB


class TestRefused:
    def test_public_bodies_fill_their_share_of_the_refused_and_no_more(self, tmp_path: Path) -> None:
        writer = JournalWriter(tmp_path, limits(refused_max_bytes=40 * KIB), SmallDisk(tmp_path))
        signed = Capture("shop", "webhook", 1, b"{" * 4 * KIB, "all", refused="body_not_json")

        stranger = [writer.keep_refused(public(refused="body_not_json")) for _ in range(8)]
        known = [writer.keep_refused(signed) for _ in range(8)]
        writer.close()

        assert stranger == [True] * 5 + [False] * 3
        assert known == [True] * 5 + [False] * 3

    def test_they_need_room_on_the_disk_like_all_public_captures(self, tmp_path: Path) -> None:
        disk = SmallDisk(tmp_path, size_bytes=100 * KIB)
        writer = JournalWriter(tmp_path, limits(journal_reserve_bytes=64 * KIB), disk)

        with pytest.raises(CannotKeep) as trouble:
            writer.keep_refused(public(refused="body_not_json"))

        assert trouble.value.code == "public_no_room"
        assert not (tmp_path / "refused").exists()
        writer.close()

    def test_what_they_take_is_gone_for_public_captures(self, tmp_path: Path) -> None:
        disk = SmallDisk(tmp_path, size_bytes=200 * KIB)
        writer = JournalWriter(tmp_path, limits(journal_reserve_bytes=64 * KIB), disk)
        for _ in range(5):
            assert writer.keep_refused(public(refused="body_not_json"))

        assert flood(writer, public()) < 24 * KIB
        writer.append(WEBHOOK)
        writer.close()
