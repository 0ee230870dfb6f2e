"""What cannot be written stays rejected, and nothing is called a copy of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import orjson
from contract.data_folders import on_disk
from unit.write.lake_samples import captured, record

from connector.events import Outcome, Rejected, Row
from connector.redrive import Redrive, Selection
from connector.write.rejected import RejectedWriter
from connector.write.sink import RowFailed, StagedFile


@dataclass
class Picky:
    """A sink that refuses the rows of one event."""

    staging: Path
    refuses: tuple[str, int]

    def __post_init__(self) -> None:
        self.rows: list[tuple[str, int]] = []

    def add_row(self, row: Row) -> None:
        event = row.own["captured_file"], row.own["captured_index"]
        if event == self.refuses:
            raise RowFailed("events", "price", event[1], event[0])
        self.rows.append(event)

    def finish(self) -> list:
        return []


def publish(place, captured_file: str, indices: list[int]) -> None:
    staging = place.folder.new_staging()
    lines = RejectedWriter(staging, captured_file, "aaaaaaaaaa")
    for index in indices:
        lines.add(captured(captured_file, index, orjson.dumps({"n": index})), Rejected("not_json", "no"))
    told = record(captured_file, rejected=len(indices), rejected_outputs=tuple(lines.finish()))
    assert place.publisher().publish([StagedFile(staging, told)]) == 1


def test_only_the_event_that_fails_stays_and_its_copy_takes_its_place(tmp_path):
    """h-0:0 cannot be written; h-1:0 has the same index and h-2:5 is a copy of h-0:0."""
    place = on_disk(tmp_path / "data")
    publish(place, "h-0", [0])
    publish(place, "h-1", [0])
    publish(place, "h-2", [5])
    ids = {"h-0": "one", "h-1": "two", "h-2": "one"}

    def pipeline(event):
        own = {"row_id": ids[event.captured_file], "received_at": 1, "timestamp": 1_772_359_200_000}
        return Outcome("stored", [Row("events", own)])

    sinks = []

    def sink_of(staging, tag):
        sinks.append(Picky(staging, ("h-0", 0)))
        return sinks[-1]

    moved = Redrive(place.data, pipeline).run(Selection(), place.publisher(), place.folder, sink_of)

    assert sinks[-1].rows == [("h-1", 0), ("h-2", 5)]
    assert moved.fates == {"rejected": 1, "stored": 2}
    assert moved.still == {"row_failed": 1}
    counts = place.data.fold().counts
    assert {name: (each.stored, each.rejected) for name, each in counts.items()} == {
        "h-0": (0, 1), "h-1": (1, 0), "h-2": (1, 0),
    }  # fmt: skip
