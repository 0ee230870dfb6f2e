"""A name is not enough: what the ledger has is bytes, and nothing is taken for done that it has not."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from connector.config import Settings, load_settings
from connector.events import Capture
from connector.journal.folders import JournalFolders
from connector.journal.frames import frame_header
from connector.journal.places import FilePlace
from connector.journal.reader import open_captured
from connector.journal.writer import JournalWriter
from connector.rounds import Writer
from connector.wiring import configure

NAME = "20261121T100000000Z-web1-4711-7f3a9c21"


def capture(body: bytes) -> Capture:
    return Capture("web", "webhook", 1_795_297_924_123, body, "all")


def event(number: int, **properties: object) -> bytes:
    message = {"type": "track", "event": "Product Viewed", "userId": "u", "messageId": f"m-{number}"}
    return orjson.dumps({**message, "properties": {"product_id": "p", **properties}})


def frames(*bodies: bytes, file: str = NAME) -> bytes:
    return b"".join(frame_header(capture(b), file, seq) + b + b"\n" for seq, b in enumerate(bodies))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data=str(tmp_path / "data"))


def writer(settings: Settings) -> Writer:
    return Writer(settings, configure(settings))


def closed(settings: Settings, name: str, content: bytes) -> Path:
    journal = JournalFolders(settings.journal_path)
    journal.make()
    path = journal.closed / name
    path.write_bytes(content)
    return path


def test_a_record_of_a_copy_taken_too_early_does_not_make_the_whole_file_done(
    settings: Settings, tmp_path: Path
):
    journal = JournalWriter(settings.journal_path)
    for number in range(3):
        journal.append(capture(event(number)))
    (being_written,) = JournalFolders(settings.journal_path).open.glob("*.open")
    copy = tmp_path / "backup"
    copy.write_bytes(being_written.read_bytes())
    for number in range(3, 8):
        journal.append(capture(event(number)))
    journal.close()
    assert writer(settings).write([FilePlace(copy)]).counts.stored == 3

    written = writer(settings).write_journal()

    (waiting,) = JournalFolders(settings.journal_path).closed.iterdir()
    assert written.failed == [FilePlace(waiting)]
    assert sum(1 for part in open_captured(waiting).parts() for _ in part) == 8


def test_an_early_copy_named_beside_the_whole_file_does_not_hide_what_it_lacks(
    settings: Settings, tmp_path: Path
):
    early, whole = tmp_path / "early", tmp_path / "whole"
    early.write_bytes(frames(event(0)))
    whole.write_bytes(frames(event(0), event(1)))

    written = writer(settings).write([FilePlace(early), FilePlace(whole)])

    assert (written.files, written.known, written.failed) == (1, 0, [FilePlace(whole)])


@pytest.mark.parametrize("name", ["../../escaped", "/tmp/escaped", "a/b", ".hidden", "", "x" * 300])
def test_a_name_in_a_frame_that_could_be_a_path_is_no_name(settings: Settings, tmp_path: Path, name: str):
    hostile = frames(event(0)).replace(NAME.encode(), name.encode())
    path = tmp_path / "hostile"
    path.write_bytes(hostile)

    writer(settings).write([FilePlace(path)])

    written = {*tmp_path.rglob("*.parquet"), *tmp_path.rglob("*.ndjson.gz")}
    assert written
    assert all(p.is_relative_to(settings.data_path) for p in written)


def test_a_file_committed_but_not_retired_before_a_crash_does_not_stop_the_next_round(settings: Settings):
    content = frames(event(0))
    closed(settings, NAME, content)
    assert writer(settings).write_journal().files == 1
    again = closed(settings, NAME, content)
    later = NAME.replace("4711", "4712")
    closed(settings, later, frames(event(1), file=later))

    written = writer(settings).write_journal()

    assert (written.files, written.failed, again.exists()) == (1, [], False)


def test_a_file_that_vanished_does_not_keep_the_others_from_being_written(settings: Settings, tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(event(ord(name)) + b"\n")

    written = writer(settings).write([FilePlace(tmp_path / name) for name in ("a", "gone", "b")])

    assert (written.files, written.failed) == (2, [FilePlace(tmp_path / "gone")])


@pytest.mark.parametrize("shape", ["frame", "batch frame", "line", "array"])
def test_a_long_number_is_exact_by_every_door(tmp_path: Path, shape: str):
    body = event(0, product_id=1).replace(b'"product_id":1', b'"product_id":12345678901234567890123')
    path = tmp_path / "captured"
    path.write_bytes({
        "frame": frames(body), "batch frame": frames(b"[" + body + b"]"),
        "line": body + b"\n", "array": b"[" + body + b"]",
    }[shape])  # fmt: skip

    ((read,),) = [list(part) for part in open_captured(path).parts()]

    assert read.event["properties"]["product_id"] == 12345678901234567890123


@pytest.mark.parametrize("shape", ["frame", "line"])
def test_an_event_above_the_limit_is_too_large_by_every_door(tmp_path: Path, shape: str):
    body = json.dumps({"type": "track", "event": "A", "blob": "x" * (17 * 1024 * 1024)}).encode()
    path = tmp_path / "captured"
    path.write_bytes(frames(body) if shape == "frame" else body + b"\n")

    ((read,),) = [list(part) for part in open_captured(path).parts()]

    assert read.error == "too_large"


def test_names_of_the_mapping_file_and_sizes_of_parts_are_in_the_tag(tmp_path: Path):
    text = (Path(__file__).parents[2] / "mappings" / "ecommerce.yaml").read_bytes()
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_bytes(text)

    def tag(**options: object) -> str:
        return configure(load_settings(**options), preview=True).tag

    tags = {tag(mapping=str(tmp_path / "one.yaml")), tag(mapping=str(tmp_path / "two.yaml")),
            tag(mapping=str(tmp_path / "one.yaml"), part_bytes=1_048_576)}  # fmt: skip
    assert len(tags) == 3
