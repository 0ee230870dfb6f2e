"""Files of lines: gzip NDJSON per day, the same lines in the same order always the same bytes."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from connector.write.disk import sealed
from connector.write.entries import Output

_LEVEL = 6


class DayLines:
    """Writes lines below ``staging``, a file for each day, under the names that they are to have."""

    def __init__(self, staging: Path, name_of: Callable[[str], str]) -> None:
        """
        Args:
            name_of: day, ``YYYY-MM-DD``, to the name of its file below the data folder.
        """
        self._staging = staging
        self._name_of = name_of
        self._files: dict[str, _LinesFile] = {}

    def add(self, day: str, captured_file: str, captured_index: int, line: bytes) -> None:
        """Take one line, its newline included; those of one event follow each other. Raises ``OSError``."""
        file = self._files.get(day)
        if file is None:
            name = self._name_of(day)
            file = self._files[day] = _LinesFile(self._staging / name, name)
        try:
            file.add((captured_file, captured_index), line)
        except OSError:
            self._abandon()
            raise

    def finish(self) -> list[Output]:
        """Make every file durable, return the outputs sorted by day; ``rows`` counts the lines."""
        try:
            return [self._files[day].finish() for day in sorted(self._files)]
        except OSError:
            self._abandon()
            raise

    def _abandon(self) -> None:
        """Let go of every file: the disk has refused, and what was written is dropped."""
        for file in self._files.values():
            file.abandon()


class _LinesFile:
    def __init__(self, path: Path, name: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._name = name
        self._file: BinaryIO = path.open("xb")
        self._lines = gzip.GzipFile("", "wb", _LEVEL, self._file, mtime=0)
        self._rows = 0
        self._events = 0
        self._last: tuple[str, int] | None = None

    def add(self, event: tuple[str, int], line: bytes) -> None:
        self._lines.write(line)
        self._rows += 1
        if event != self._last:
            self._last = event
            self._events += 1

    def abandon(self) -> None:
        for part in (self._lines, self._file):
            with suppress(OSError, ValueError):
                part.close()

    def finish(self) -> Output:
        self._lines.close()
        self._file.close()
        size, sha256 = sealed(self._path)
        return Output(self._name, self._rows, self._events, size, sha256)
