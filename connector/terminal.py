"""What a person sees: colours and bars on a terminal only, plain lines in a pipe."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

_File = TypeVar("_File")

_PIPE_WIDTH = 240
"""Where nobody's window ends: tables in a pipe are not cut."""
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Log lines with time, level and name; no payload is ever in one."""
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", force=True
    )
    logging.getLogger("botocore").setLevel(max(level, logging.WARNING))


class FileBar:
    """A bar over files with a counter of events."""

    def __init__(self, bar: Progress, what: str, files: int) -> None:
        self._bar = bar
        self._task = bar.add_task(what, total=files, events=0)
        self._files = files
        self._events = 0

    def events(self, more: int) -> None:
        """Events have been mapped."""
        self._events += more
        self._bar.update(self._task, events=self._events)

    def done(self) -> None:
        """A file is done."""
        self._bar.advance(self._task)

    def counted(self, files: Iterable[_File]) -> Iterator[_File]:
        """Pass files on; each makes the total grow by one."""
        for file in files:
            self._files += 1
            self._bar.update(self._task, total=self._files)
            yield file


@contextmanager
def progress(what: str, files: int) -> Iterator[tuple[Callable[[int], None], Callable[[], None]]]:
    """A bar over files with a counter of events, on standard error, when that is a terminal.

    Yields:
        Two functions: one is told of mapped events, the other that a file is done.
    """
    with growing_progress(what, files) as bar:
        yield bar.events, bar.done


@contextmanager
def growing_progress(what: str, files: int = 0) -> Iterator[FileBar]:
    """As ``progress``, for files that are found on the way."""
    bar = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("files  {task.fields[events]:,} events"), TimeElapsedColumn(),
        console=err, transient=True, disable=not err.is_terminal,
    )  # fmt: skip
    with bar:
        yield FileBar(bar, what, files)


class Ratio(float):
    """A number between -1 and 1, shown with four decimals."""


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a small table: numbers to the right, thousands marked."""
    grid = Table(
        title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    numeric = [all(isinstance(row[at], int | float | None) for row in rows) for at in range(len(columns))]
    for name, right in zip(columns, numeric, strict=True):
        grid.add_column(name, justify="right" if right else "left", header_style="dim", no_wrap=True)
    for row in rows:
        grid.add_row(*(_cell(value) for value in row))
    out.print(grid)
    out.print()


def _cell(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Ratio):
        return f"{value:.4f}"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
