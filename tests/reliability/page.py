"""``docs/reliability.md`` out of what the fault tests noted. Nothing in it is typed by hand."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.markdown import table
from tests.reliability.points import NOT_BUILT, POINTS, Cited

Note = Mapping[str, Any]
NOT_RUN = "Not run.\n"
_HEAD = """# Reliability

What was tried to make the connector lose an acknowledged event, or store one twice, and what came of it.
Every figure is printed from what the fault tests noted: `make faults` runs them (`tests/faults/`), and
`python -m tests.reliability FOLDER` prints this page. Processes are real and die by SIGKILL. After each fault
everything is drained, `connector audit` has to exit with 0, and every acknowledged event must be in the
tables exactly once. An event whose sender got no answer may be stored or not.
"""
_KILLS, _MEASURED = "random kills, ", "measured: "


def read_notes(folder: Path) -> list[Note]:
    """Every line of every ``*.jsonl`` in the folder, in the order of names; none when there is no folder."""
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines if line.strip()]


def page(notes: Sequence[Note], cited: Cited) -> str:
    """The text of the page."""
    by_part: dict[str, list[Note]] = defaultdict(list)
    for each in notes:
        by_part[each["part"]].append(each)
    kills = [
        each for part, found in sorted(by_part.items()) if part.startswith("random kills") for each in found
    ]
    measured = [found[-1] for part, found in by_part.items() if part.startswith(_MEASURED)]
    sections = [
        _HEAD,
        _section("Random kills under traffic", _kills(kills)),
        _section("A store that refuses", _matrix(by_part["a store that refuses"])),
        _section(
            "Full and read-only disks of the running service",
            _plain(
                by_part["full and read-only disks"], "fault", "acknowledged", "answered_503", "lost", "twice"
            ),
        ),
        _section(
            "A disk that fails under the writer",
            _plain(by_part["a disk that fails under the writer"], "call", "error", "duration", "moments"),
        ),
        _section(
            "The un-synced end of a journal file, damaged at every byte",
            _plain(by_part["journal tails"], "damage", "bytes_tried", "acknowledged_lost"),
        ),
        _section(
            "A journal larger than the memory",
            _plain(
                by_part["a journal larger than the memory"],
                "journal_megabytes", "limit_megabytes", "events", "seconds",
            ),
        ),
        _section(
            "A day larger than the memory, compacted",
            _plain(
                by_part["a day larger than the memory"],
                "arrow_megabytes", "limit_megabytes", "files", "seconds",
            ),
        ),
        *(_section(each["part"].removeprefix(_MEASURED), _measured(each)) for each in measured),
        _section("Crash points", _points(cited)),
    ]  # fmt: skip
    return "\n".join(sections)


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text or NOT_RUN}"


def _kills(notes: Iterable[Note]) -> str:
    rows = [
        (
            each["part"].removeprefix(_KILLS),
            _figure(each["rounds"]),
            _figure(sum(each["kills"].values())),
            _figure(each["acknowledged"]),
            _figure(each["stored_unacknowledged"]),
            _figure(each.get("compactions", 0)),
            _figure(each["lost"]),
            _figure(each["twice"]),
            f"{each['seconds'] / 60:.0f} min",
        )
        for each in notes
    ]
    if not rows:
        return ""
    head = (
        "where", "rounds", "kills", "acknowledged", "stored, not acknowledged", "compactions", "lost",
        "twice", "time",
    )  # fmt: skip
    return f"{table(head, rows)}\n\n{_victims(notes)}"


def _victims(notes: Iterable[Note]) -> str:
    sums: dict[str, int] = defaultdict(int)
    for each in notes:
        for victim, count in each["kills"].items():
            sums[victim] += count
    said = ", ".join(f"{victim} {_figure(count)}" for victim, count in sorted(sums.items(), key=_by_count))
    return f"Killed: {said}.\n"


def _by_count(pair: tuple[str, int]) -> tuple[int, str]:
    return -pair[1], pair[0]


def _matrix(notes: Sequence[Note]) -> str:
    if not notes:
        return ""
    last = notes[-1]
    return (
        f"{_figure(last['cases'])} cases, {_figure(last['acknowledged'])} events acknowledged while a fault "
        f"lasted, {last['lost']} lost, {last['twice']} twice; memory of all processes grew by "
        f"{last['memory_growth_megabytes']} MB between the first and the last quarter of them.\n\n"
        f"{table(('place', 'cases'), _pairs(last['by_place']))}\n\n"
        f"{table(('fault', 'cases'), _pairs(last['by_fault']))}\n"
    )


def _pairs(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(name, _figure(count)) for name, count in counts.items()]


def _plain(notes: Iterable[Note], *keys: str) -> str:
    rows = [[_figure(each.get(key, "")) for key in keys] for each in notes]
    return f"{table([key.replace('_', ' ') for key in keys], rows)}\n" if rows else ""


def _measured(each: Note) -> str:
    rows = [[_figure(cell) for cell in row] for row in each.get("rows", ())]
    text = f"{table(each.get('columns', ()), rows)}\n" if rows else NOT_RUN
    return f"{text}\n{each['note']}\n" if each.get("note") else text


def _points(cited: Cited) -> str:
    rows = [
        (
            f"C{point}: {what}",
            _figure(cited.tests(point)) if cited.tests(point) else NOT_BUILT.get(point, "no test cites it"),
            ", ".join(cited.files(point)),
        )
        for point, what in POINTS.items()
    ]
    return f"{table(('the process stops, or this happens', 'tests', 'where (tests)'), rows)}\n"


def _figure(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
