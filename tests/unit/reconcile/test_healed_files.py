"""Events that never arrived, kept as captured files: their bytes, their names, their order on the disk."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.events import Captured
from connector.journal.disk import Disk
from connector.journal.reader import open_captured
from connector.reconcile.healed import HealedFiles, line_of

DAY = date(2026, 3, 1)


def captured(raw: bytes, source: str = "web") -> Captured:
    event = orjson.loads(raw)
    return Captured("h-1", 0, source, "file", None, "none", event, None, False, lambda: raw, "line 0")


def read(path: Path) -> list[Captured]:
    return [event for part in open_captured(path).parts() for event in part]


class WatchedDisk(Disk):
    def __init__(self) -> None:
        self.steps: list[str] = []

    def sync(self, descriptor: int) -> None:
        self.steps.append("sync")
        super().sync(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        self.steps.append("rename")
        super().rename(old, new)

    def sync_folder(self, folder: Path) -> None:
        self.steps.append(f"sync {folder.name}")
        super().sync_folder(folder)


@pytest.mark.parametrize(
    "raw",
    [b'{"n": 1.50e2, "big": 123456789012345678901234567890}', b'{ "a" : "\\u0041\\n" }', b'{"a":1}\r'],
)
def test_a_line_is_the_bytes_of_the_event(raw: bytes) -> None:
    assert line_of(captured(raw)) == raw


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b'{\n  "n": 1.50,\n  "a": "x\\ny"\n}', b'{   "n": 1.50,   "a": "x\\ny" }'),
        (b'{"a": "x\ny",\n"b": "\\"\n"}', b'{"a": "x\\ny", "b": "\\"\\n"}'),
    ],
)
def test_an_event_over_several_lines_becomes_one_and_keeps_its_values(raw: bytes, line: bytes) -> None:
    assert line_of(captured(b"{}")._replace(raw=lambda: raw)) == line


def test_an_event_of_a_batch_has_what_the_batch_says(tmp_path: Path) -> None:
    path = tmp_path / "batch.json"
    path.write_bytes(
        b'{"batch":[{"type":"track","n":12345678901234567890123,"m":1.50}],"context":{"ip":"::1"}}\n'
    )

    (event,) = read(path)

    assert line_of(event) == b'{"type":"track","n":12345678901234567890123,"m":1.5,"context":{"ip":"::1"}}'


TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = TEXTS | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.dictionaries(TEXTS, VALUES), min_size=1))
def test_what_is_kept_is_read_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, events: list[dict[str, Any]]
) -> None:
    files = HealedFiles(tmp_path_factory.mktemp("healed"), Disk())
    for number, event in enumerate(events):
        files.add(DAY, captured(orjson.dumps(event, option=orjson.OPT_INDENT_2 if number % 2 else 0)))

    (file,) = files.finish()

    assert [event.event for event in read(file.path)] == events


def test_one_file_for_each_day_and_source_named_after_what_it_holds(tmp_path: Path) -> None:
    files = HealedFiles(tmp_path, Disk())
    senders = [(None, "web"), (DAY, "web"), (DAY, "till"), (DAY, "web")]
    for number, (day, source) in enumerate(senders):
        files.add(day, captured(b'{"n":%d}' % number, source))

    done = files.finish()

    assert [(file.path.parent.name, file.source, file.events) for file in done] == [
        ("undated", "web", 1), ("2026-03-01", "till", 1), ("2026-03-01", "web", 2)
    ]  # fmt: skip
    assert gzip.decompress(done[2].path.read_bytes()) == b'{"n":1}\n{"n":3}\n'
    assert done[2].path.name == f"{open_captured(done[2].path).identity.name}.ndjson.gz"


def test_the_same_events_give_the_same_file(tmp_path: Path) -> None:
    made = []
    for _ in range(2):
        files = HealedFiles(tmp_path, Disk())
        files.add(DAY, captured(b'{"n":1}'))
        (file,) = files.finish()
        made.append((file.path, file.path.read_bytes()))

    assert made[0] == made[1]
    assert len(list(tmp_path.rglob("*.gz"))) == 1


def test_bytes_are_durable_before_their_name_and_the_name_before_anybody_is_told(tmp_path: Path) -> None:
    disk = WatchedDisk()
    files = HealedFiles(tmp_path, disk)
    files.add(DAY, captured(b'{"n":1}'))
    disk.steps.clear()

    files.finish()

    assert disk.steps == ["sync", "rename", "sync 2026-03-01"]


def test_what_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    files = HealedFiles(tmp_path, Disk())
    files.add(DAY, captured(b'{"n":1}'))

    files.drop()

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
