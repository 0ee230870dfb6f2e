"""The part of the audit that looks at files: each is there, is what its entry says, and nothing else is."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from connector.write.data import Attempts, DataReader
from connector.write.disk import sha256_of
from connector.write.ledger import Fold, Live
from connector.write.row_sum import row_sum_of_file
from connector.write.stored import rows_in_file, write_keys


class Looked:
    """What was found in files, by name: names are never used twice, so one look at each is enough."""

    def __init__(self, data: DataReader, keys: Path, deep: bool) -> None:
        """
        Args:
            keys: an empty folder for what is kept of files that must be fetched.
            deep: also recompute the sum of the rows.
        """
        self._data = data
        self._keys = keys
        self._deep = deep
        self._faults: dict[str, list[str]] = {}
        self._key_files: dict[str, Path] = {}
        self._lines: dict[str, Counter[str]] = {}

    def faults(self, live: Live) -> list[str]:
        """What is wrong with a file. Raises ``FileNotFoundError`` when it is not there."""
        name = live.output.name
        if name not in self._faults:
            with self._data.file(name) as path:
                faults = self._faults[name] = list(_faults(path, live, self._deep))
                if not faults and live.output.is_table:
                    self._keep_keys(name, path)
                elif not faults:
                    faults.extend(self._count_lines(path, live))
        return self._faults[name]

    def keys_of(self, name: str) -> Path:
        """A file with the keys of the events of a table file without faults."""
        return self._key_files[name]

    def events_in(self, files: Iterable[Live]) -> Counter[str]:
        """Events by captured file in files of lines without faults."""
        return sum((self._lines.get(live.output.name, Counter()) for live in files), Counter())

    def _count_lines(self, path: Path, live: Live) -> Iterable[str]:
        """Events of each captured file; yields what is wrong with the lines."""
        rows, events = 0, set()
        try:
            with gzip.open(path) as lines:
                for line in lines:
                    value: dict[str, Any] = orjson.loads(line)
                    rows += 1
                    events.add((value["captured_file"], value["captured_index"]))
        except (OSError, EOFError, zlib.error, ValueError, KeyError) as error:
            yield f"cannot be read: {type(error).__name__}"
            return
        if (rows, len(events)) != (live.output.rows, live.output.events):
            said = f"{live.output.rows} of {live.output.events}"
            yield f"has {rows} lines of {len(events)} events, the entry says {said}"
        if live.captured_file is not None and {name for name, _ in events} - {live.captured_file}:
            yield f"has events that are not of {live.captured_file}"
        self._lines[live.output.name] = Counter(name for name, _ in events)

    def _keep_keys(self, name: str, path: Path) -> None:
        if self._data.root is not None:
            self._key_files[name] = path
            return
        target = self._keys / f"{len(self._key_files)}.parquet"
        write_keys(path, target)
        self._key_files[name] = target


class LiveFiles:
    """Every live file is there and is what its entry says; nothing else is there."""

    def __init__(
        self, data: DataReader, state: Fold, present: set[str], attempts: Attempts, looked: Looked
    ) -> None:
        """
        Args:
            present: listed before folding: a file committed since then cannot look like a stray.
            attempts: what they name; listed between the two.
        """
        live = state.live
        self.findings: list[str] = []
        self.damaged: set[str] = set()
        self.unsettled = False
        self.in_flight = self.leftover = self.old = 0
        for name in sorted(live):
            self._look(live[name], looked)
        for name in sorted(present - live.keys()):
            if name in attempts.living:
                self.in_flight += 1
            elif name in attempts.dead:
                self.leftover += 1
            elif name in state.removed:
                self.old += 1
            elif data.has(name):
                self.unsettled = True
                self.findings.append(f"{name} lies in the data folder and no ledger entry has it.")

    def _look(self, live: Live, looked: Looked) -> None:
        name = live.output.name
        try:
            faults = looked.faults(live)
        except FileNotFoundError:
            self.unsettled = True
            self.damaged.add(name)
            self.findings.append(f"{name} of {live.listed_in} is missing.")
            return
        if faults:
            self.damaged.add(name)
        self.findings += [f"{name} of {live.listed_in} {fault}." for fault in faults]


def _faults(path: Path, live: Live, deep: bool) -> Iterable[str]:
    output, size = live.output, path.stat().st_size
    if size != output.bytes:
        yield f"has {size} bytes instead of {output.bytes}"
    elif sha256_of(path) != output.sha256:
        yield "has other content than the entry says"
    elif output.is_table:
        rows = rows_in_file(path)
        if rows != output.rows:
            yield f"has {rows} rows, the entry says {output.rows}"
        elif deep and row_sum_of_file(path, output.name.split("/")[1]) != output.row_sum:
            yield "has rows of another sum than the entry says"
