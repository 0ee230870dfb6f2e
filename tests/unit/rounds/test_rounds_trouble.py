"""A captured file that cannot be had does not hold up the others; what each would meet stops the run."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from connector.config import Settings, load_settings
from connector.errors import StoreError
from connector.journal.places import FilePlace, Place
from connector.rounds import Writer, tasks
from connector.wiring import configure

MIB = 1 << 20


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data=str(tmp_path / "data"))


@pytest.fixture
def writer(settings: Settings) -> Writer:
    return Writer(settings, configure(settings))


def place(folder: Path, number: int) -> FilePlace:
    path = folder / f"{number}.ndjson"
    event = {"type": "track", "event": "Product Viewed", "userId": "u", "messageId": f"m-{number}"}
    path.write_bytes(orjson.dumps(event) + b"\n")
    return FilePlace(path)


def test_a_file_made_to_fill_the_disk_fails_alone(
    tmp_path: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tasks, "MAX_UNCOMPRESSED_BYTES", 16 * MIB)
    bomb = FilePlace(tmp_path / "bomb.gz")
    bomb.path.write_bytes(gzip.compress(b"\0" * 64 * MIB))

    written = writer.write([place(tmp_path, 0), bomb, place(tmp_path, 1)])

    assert (written.files, written.counts.stored, written.failed) == (2, 2, [bomb])


def test_what_was_mapped_before_a_listing_breaks_off_is_recorded(tmp_path: Path, writer: Writer):
    unreachable = StoreError("list in bucket archive: ReadTimeoutError")

    def listing() -> Iterator[Place]:
        yield place(tmp_path, 0)
        yield place(tmp_path, 1)
        raise unreachable

    written = writer.write(listing())

    assert (written.files, written.stopped, written.failed) == (2, unreachable, [])
    assert writer.write([place(tmp_path, 0), place(tmp_path, 1)]).known == 2


def test_a_listing_is_not_read_ahead_of_what_is_mapped(tmp_path: Path, writer: Writer):
    listed, done = 0, 0
    ahead = []

    def listing() -> Iterator[Place]:
        nonlocal listed
        for number in range(20):
            listed += 1
            ahead.append(listed - done)
            yield place(tmp_path, number)

    def tell(_: Place) -> None:
        nonlocal done
        done += 1

    assert writer.write(listing(), done=tell).files == 20
    assert max(ahead) == 1


def test_the_same_bytes_under_two_names_are_written_once(tmp_path: Path, writer: Writer):
    first = place(tmp_path, 0)
    copy = FilePlace(tmp_path / "copy.gz")
    copy.path.write_bytes(gzip.compress(first.path.read_bytes()))

    written = writer.write([first, copy, first])

    assert (written.files, written.known, written.counts.stored) == (1, 2, 1)


def test_a_file_that_failed_may_be_tried_again_in_the_same_run(tmp_path: Path, writer: Writer):
    late = FilePlace(tmp_path / "late.ndjson")

    def listing() -> Iterator[Place]:
        yield late
        yield place(tmp_path, 0)
        late.path.write_bytes(b'{"type":"page","messageId":"m-9","userId":"u"}\n')
        yield late

    written = writer.write(listing())

    assert (written.files, written.failed) == (2, [late])


def test_no_folder_is_left_behind(tmp_path: Path, settings: Settings, writer: Writer):
    writer.write([place(tmp_path, 0), FilePlace(tmp_path / "gone")])

    assert list((settings.data_path / ".staging").iterdir()) == []
