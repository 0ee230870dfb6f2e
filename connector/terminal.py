"""What a person sees: colours and bars on a terminal only, plain lines in a pipe."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

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

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Log lines with time, level and name; no payload is ever in one."""
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", force=True
    )


@contextmanager
def progress(what: str, files: int) -> Iterator[tuple[Callable[[int], None], Callable[[], None]]]:
    """A bar over files with a counter of events, on standard error, when that is a terminal.

    Yields:
        Two functions: one is told of mapped events, the other that a file is done.
    """
    bar = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("files  {task.fields[events]:,} events"), TimeElapsedColumn(),
        console=err, transient=True, disable=not err.is_terminal,
    )  # fmt: skip
    task = bar.add_task(what, total=files, events=0)
    counted = 0

    def events(more: int) -> None:
        nonlocal counted
        counted += more
        bar.update(task, events=counted)

    with bar:
        yield events, lambda: bar.advance(task)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a small table: numbers to the right, thousands marked."""
    grid = Table(
        title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2)
    )
    numeric = [all(isinstance(row[at], int | float) for row in rows) for at in range(len(columns))]
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
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
