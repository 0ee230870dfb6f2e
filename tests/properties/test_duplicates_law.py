"""Which copy of an event stays depends on what is known, and on nothing else: not on order nor on time."""

from __future__ import annotations

import tempfile
from pathlib import Path

from contract.data_folders import on_disk
from contract.publishing import ask, compact, proven, publish_rows, row_id, view
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.write.lake_samples import BLACK_FRIDAY_MS, DAY_MS

_COPY = st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 3)))
"""Which event, and how many seconds after it the copy arrived; None: nobody knows."""


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[tuple[str, list]], set[int]]:
    """Captured files in the order they are written, and after which of them somebody compacts."""
    files = [
        (f"h-{number}", draw(st.lists(_COPY, min_size=1, max_size=4, unique_by=lambda copy: copy[0])))
        for number in range(draw(st.integers(2, 4)))
    ]
    return draw(st.permutations(files)), draw(st.sets(st.integers(0, 3), max_size=2))


def _rows(captured_file: str, copies: list) -> list[dict]:
    return [
        view(
            captured_file, index, number,
            timestamp=BLACK_FRIDAY_MS + number % 2 * DAY_MS,
            received_at=None if seconds is None else BLACK_FRIDAY_MS + 2 * DAY_MS + seconds * 1_000,
        )
        for index, (number, seconds) in enumerate(copies)
    ]  # fmt: skip


@given(histories())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_of_arrival_and_of_compactions_leaves_the_same_rows(history):
    files, compactions = history
    seen: dict[int, list] = {}
    for name, copies in files:
        for index, (number, seconds) in enumerate(copies):
            order = (seconds is None, seconds or 0, name, index)
            seen.setdefault(number, []).append(order)
    kept = sorted((row_id(number), *min(orders)[2:]) for number, orders in seen.items())
    copies_sent = sum(len(orders) for orders in seen.values())

    with tempfile.TemporaryDirectory() as folder:
        place = on_disk(Path(folder) / "data")
        for at, (name, copies) in enumerate(files):
            publish_rows(place, name, events=_rows(name, copies))
            if at in compactions:
                compact(place)
        rows = "SELECT row_id, captured_file, captured_index FROM {} ORDER BY row_id"
        assert ask(place, rows.format("events")) == kept, "the view, at any time"
        compact(place)
        assert ask(place, rows.format("events_raw")) == kept, "the files, once compacted"
        fates = proven(place)
        assert fates == {"stored": len(kept), **({"duplicate": d} if (d := copies_sent - len(kept)) else {})}
        assert len(ask(place, "FROM duplicates")) == copies_sent - len(kept), "every copy is listed"
