"""Which tests cite which of the numbered crash points: read from the tests as pytest collects them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POINTS = {
    1: "a journal file is created, not yet locked",
    2: "locked, not yet renamed",
    3: "renamed, its folder not synced",
    4: "inside the write of a batch, at every byte",
    5: "written, not synced: kill, power loss",
    6: "synced; before the first 200, and between two",
    7: "a sync fails once, then works",
    8: "no space, at every step of the disk",
    9: "before and after the closing rename",
    10: "a receiver stands still longer than every limit",
    11: "between two batches with others waiting",
    12: "a refused body, before and after its sync",
    13: "in the middle of mapping",
    14: "outputs staged, before the ledger entry",
    15: "between the entry's temporary file and its link",
    16: "linked, its folder not synced",
    17: "between two renames, and before the unlinks",
    18: "before and after the index transaction",
    19: "while a journal file is retired",
    20: "index deleted, truncated, or an older copy",
    21: "a second publisher, with and without the lock",
    22: "a file that comes late and beats a published row",
    23: "S3: before the intent",
    24: "S3: between two PUTs, inside a multipart upload, answer lost",
    25: "S3: before the record, its answer lost, 412, 409",
    26: "S3: after the record, before the captured file is let go",
    27: "S3: two attempts at one captured file",
    28: "S3: it comes again a day later",
    29: "S3: an attempt frozen past its deadline",
    30: "S3: 403, 404, 429, 500, 503, reset, no answer, at each call",
    31: "S3: notifications lost, doubled, in another order; object replaced",
    32: "compaction killed at every step",
    33: "two compactions of the same files",
    34: "compaction and rebuild of one day at once",
    35: "rebuild to another mapping and back",
    36: "a deletion, and a writer that knows the older list",
    37: "a deletion killed at every step, then resumed",
    38: "a reader between a change and its files",
    39: "clock back an hour and a day, forward 40 days",
    40: "a checkpoint missing, old or torn",
}
NOT_BUILT = {
    18: "there is no index: views and compaction find duplicates",
    20: "there is no index: views and compaction find duplicates",
    36: "forgetting a person comes later",
    37: "forgetting a person comes later",
}
_CITED = re.compile(r"\bC(\d{1,2})\b(?:(?: to |-)C(\d{1,2})\b)?")
_IN_NAME = re.compile(r"_c(\d{1,2})_")


class Cited(dict[int, Counter[str]]):
    """Point -> test file -> how many of its tests cite it."""

    def tests(self, point: int) -> int:
        return self.get(point, Counter()).total()

    def files(self, point: int) -> list[str]:
        return [f"`{name}` ({count})" for name, count in sorted(self.get(point, Counter()).items())]


def cited() -> Cited:
    """What every collected test says: its docstring, name and parameters; in a file where none says anything,
    the docstring of the file.

    Raises:
        RuntimeError: a test file cannot be collected.
    """
    collector = _Collector()
    with chdir(ROOT), redirect_stdout(StringIO()) as said:
        code = pytest.main(["--collect-only", "-qq", "tests"], plugins=[collector])
    if code != pytest.ExitCode.OK:
        raise RuntimeError(f"pytest cannot collect the tests: {said.getvalue()}")
    found = Cited()
    by_file: dict[str, list[pytest.Item]] = {}
    for item in collector.items:
        by_file.setdefault(item.nodeid.partition("::")[0], []).append(item)
    for name, items in by_file.items():
        own = [set(_points_of(item)) for item in items]
        shared = set() if any(own) else set(_points_in(items[0].getparent(pytest.Module).obj.__doc__))
        for points in own:
            for point in points or shared:
                found.setdefault(point, Counter())[name] += 1
    return found


class _Collector:
    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.items = list(items)


def _points_of(item: pytest.Item) -> Iterator[int]:
    """What one test says itself."""
    yield from _points_in(getattr(getattr(item, "function", None), "__doc__", None))
    yield from map(int, _IN_NAME.findall(f"{getattr(item, 'originalname', item.name)}_"))
    parameters = item.name.partition("[")[2]
    if re.search(r"(?:^|-)C\d", parameters):
        yield from _points_in(parameters)


def _points_in(text: str | None) -> Iterator[int]:
    """``C3 to C5, C9`` gives 3, 4, 5, 9."""
    for first, last in _CITED.findall(text or ""):
        yield from _known(range(int(first), int(last or first) + 1))


def _known(points: Iterable[int]) -> Iterator[int]:
    return (point for point in points if point in POINTS)
