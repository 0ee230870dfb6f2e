"""Files of lines: gzip NDJSON per day, the same lines in the same order always the same bytes."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from connector.write.disk import sealed
from connector.write.entries import Output

OPEN_FILES = 32
_LEVEL = 6


class DayLines:
    """Writes lines below ``staging``, a file for each day, under the names that they are to have.

    However many days there are, only some files are open: one that comes again gets another gzip member.
    """

    def __init__(self, staging: Path, name_of: Callable[[str], str]) -> None:
        """
        Args:
            name_of: day, ``YYYY-MM-DD``, to the name of its file below the data folder.
        """
        self._staging = staging
        self._name_of = name_of
        self._files: dict[str, _LinesFile] = {}
        self._open: dict[str, None] = {}
        """Days whose files are open, the one that was used last at the end."""

    def add(self, day: str, captured_file: str, captured_index: int, line: bytes) -> None:
        """Take one line, its newline included; those of one event follow each other. Raises ``OSError``."""
        file = self._files.get(day)
        if file is None:
            name = self._name_of(day)
            file = self._files[day] = _LinesFile(self._staging / name, name)
        try:
            if day not in self._open and len(self._open) >= OPEN_FILES:
                oldest = next(iter(self._open))
                del self._open[oldest]
                self._files[oldest].rest()
            self._open.pop(day, None)
            self._open[day] = None
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
            with suppress(OSError, ValueError):
                file.rest()


class _LinesFile:
    def __init__(self, path: Path, name: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(exist_ok=False)
        self._path = path
        self._name = name
        self._file: BinaryIO | None = None
        self._lines: gzip.GzipFile | None = None
        self._rows = 0
        self._events = 0
        self._last: tuple[str, int] | None = None

    def add(self, event: tuple[str, int], line: bytes) -> None:
        if self._lines is None:
            self._file = self._path.open("ab")
            self._lines = gzip.GzipFile("", "wb", _LEVEL, self._file, mtime=0)
        self._lines.write(line)
        self._rows += 1
        if event != self._last:
            self._last = event
            self._events += 1

    def rest(self) -> None:
        """Close it; the next line opens it again."""
        file, lines, self._file, self._lines = self._file, self._lines, None, None
        try:
            if lines is not None:
                lines.close()
        finally:
            if file is not None:
                file.close()

    def finish(self) -> Output:
        self.rest()
        size, sha256 = sealed(self._path)
        return Output(self._name, self._rows, self._events, size, sha256)
