"""Ledgers that grow step by step: publishes, compactions, redrives, rebuilds; on a disk and in a store."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from hypothesis import strategies as st
from object_stores import MemoryStore
from unit.write.lake_samples import record

from connector.write.data import DataReader, FolderData, StoreData
from connector.write.entries import Counts, Entry, Kind, Output, Record, encode, encode_record
from connector.write.ledger import Fold, entry_path
from connector.write.object_ledger import change_name, record_name

Step = Literal["publish", "compaction", "redrive", "rerun"]
STEPS: tuple[Step, ...] = ("publish", "compaction", "redrive", "rerun")
_SUFFIX = {"tables": "parquet", "rejected": "ndjson.gz", "duplicates": "ndjson.gz"}
steps = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 2**32 - 1)), min_size=1, max_size=14).map(
    lambda drawn: [("publish", 1), *drawn]
)


class Place(Protocol):
    """Where the ledger of a history lies."""

    data: DataReader

    def publish(self, records: list[Record], state: Fold) -> None: ...

    def change(self, entry: Entry) -> None: ...


@dataclass
class OnDisk:
    root: Path
    data: DataReader = field(init=False)

    def __post_init__(self) -> None:
        self.data = FolderData(self.root)

    def publish(self, records: list[Record], state: Fold) -> None:
        self.change(Entry(state.number + 1, "publish", state.sha256, 5, tuple(records)))

    def change(self, entry: Entry) -> None:
        path = entry_path(self.root, entry.number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(entry))


@dataclass
class InStore:
    store: MemoryStore = field(default_factory=MemoryStore)
    data: DataReader = field(init=False)

    def __post_init__(self) -> None:
        self.data = StoreData(self.store)

    def publish(self, records: list[Record], state: Fold) -> None:
        for each in records:
            assert self.store.create(record_name(each.captured_file), encode_record(each, "attempt-1"))

    def change(self, entry: Entry) -> None:
        assert self.store.create(change_name(entry.number), encode(entry))


class History:
    """One ledger. What it takes at random is the same for the same seeds."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.state = Fold()
        self._names = 0

    def publish(self, *names: str) -> None:
        """Captured files with one table file of two events each."""
        self._publish([record(name, stored=2, outputs=(self._output("tables", 1, 2),)) for name in names])

    def take(self, step: Step, seed: int) -> None:
        drawn = random.Random(seed)
        if step == "publish":
            self._publish([self._record(drawn) for _ in range(drawn.randint(1, 3))])
        else:
            self._change(step, drawn)

    def _publish(self, records: list[Record]) -> None:
        self.place.publish(records, self.state)
        self._fold()

    def _change(self, step: Step, drawn: random.Random) -> None:
        live = sorted(self.state.rejected if step == "redrive" else self.state.live)
        captured = drawn.sample(sorted(self.state.records), drawn.randint(0, min(3, len(self.state.records))))
        kinds: list[Kind] = ["tables"] * drawn.randint(0, 2) + ["rejected"] * drawn.randint(0, 1)
        reruns = {name: f"sha256:{drawn.randint(10, 99)}" for name in captured} if step == "rerun" else {}
        entry = Entry(
            self.state.number + 1, step, self.state.sha256, 5,
            removes=tuple(drawn.sample(live, drawn.randint(0, len(live)))),
            adds=tuple(self._output(kind, drawn.randint(1, 9)) for kind in kinds),
            files={name: self._counts(drawn) for name in captured}, reruns=reruns, because="as it goes",
        )  # fmt: skip
        self.place.change(entry)
        self._fold()

    def _fold(self) -> None:
        self.state = self.place.data.fold(self.state)

    def _record(self, drawn: random.Random) -> Record:
        self._names += 1
        name = drawn.choice([f"h-{self._names}", f"20261121T215204{self._names:03d}Z-größe-4711-7f3a9c21"])
        made: dict[Kind, tuple[Output, ...]] = {
            kind: tuple(self._output(kind, drawn.randint(1, 9)) for _ in range(drawn.randint(0, 2)))
            for kind in ("tables", "rejected", "duplicates")
        }
        counts = self._counts(drawn)
        return replace(
            record(name, stored=counts.stored, duplicate=counts.duplicate, torn_bytes=drawn.randint(0, 3)),
            outputs=made["tables"], rejected_outputs=made["rejected"], duplicate_outputs=made["duplicates"],
            seen_as=("journal/closed/x",) * drawn.randint(0, 2),
        )  # fmt: skip

    def _counts(self, drawn: random.Random) -> Counts:
        stored, duplicate = drawn.randint(0, 9), drawn.randint(0, 9)
        return Counts(received=stored + duplicate, stored=stored, duplicate=duplicate)

    def _output(self, kind: Kind, day: int, rows: int = 1) -> Output:
        self._names += 1
        folder = "tables/events" if kind == "tables" else kind
        name = f"{folder}/day=2026-11-{day:02d}/f-{self._names}.{_SUFFIX[kind]}"
        return Output(name, rows, rows, 10, "ab", "0" * 16 if kind == "tables" else None)


def grown(place: Place, count: int) -> History:
    """A history of so many publishes, each of one captured file, and one change in the middle."""
    history = History(place)
    for number in range(count):
        history.publish(f"h-{number}")
        if number == count // 2:
            history.take("compaction", 7)
    return history


PLACES: dict[str, Callable[[Path], Place]] = {"disk": OnDisk, "store": lambda _: InStore()}
