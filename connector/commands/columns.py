"""Columns of plain text, for what must not be cut where a terminal is narrow. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = ()) -> Iterator[str]:
    """
    Yield the lines of a table, its head first.

    Args:
        right: names of the columns that stand to the right, such as numbers.
    """
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(head, line, widths, strict=True)
        )
        yield "  ".join(cells).rstrip()


def printable(text: str | None, longest: int | None = None) -> str:
    """What a sender wrote, as it may stand on a terminal: one line, no control characters."""
    clean = "".join(char if char.isprintable() else "\ufffd" for char in text or "")
    return clean if longest is None or len(clean) <= longest else f"{clean[: longest - 1]}…"
