"""Short ways to write the rows of a person and to read the counts of a funnel."""

from __future__ import annotations

from connector.report.kinds.funnel import Asked
from tests.report.stores import ask, at, desk, row

VIEW, ADD, BUY = "Product Viewed", "Product Added", "Product Purchased"


def counts(rows, *steps, **options) -> list[int]:
    """The counts of the steps, all segments after each other."""
    return [one["count"] for one in ask(Asked(step=steps or (VIEW, BUY), **options), desk(rows)).rows]


def by_segment(rows, *steps, **options) -> dict:
    counted: dict = {}
    for one in ask(Asked(step=steps or (VIEW, BUY), **options), desk(rows)).rows:
        counted.setdefault(one["segment"], []).append(one["count"])
    return counted


def days(*events, user="ann", **more):
    """Rows at 10:00 on the days of March: ``days(("V", 1), ("B", 3))``."""
    names = {"V": VIEW, "A": ADD, "B": BUY, "X": "Order Cancelled"}
    return [row(names[letter], f"2026-03-{day:02} 10:00", user, **more) for letter, day in events]


def seconds(*events, user="ann", **more):
    """Rows so many seconds after a moment: ``seconds(("V", 0), ("B", 1.5))``."""
    names = {"V": VIEW, "A": ADD, "B": BUY, "X": "Order Cancelled"}
    start = at("2026-03-01 10:00")
    return [row(names[letter], start + round(after * 1_000), user, **more) for letter, after in events]
