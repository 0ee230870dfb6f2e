"""
Reports against what an expert writes by hand: DuckDB SQL, polars and chdb over the same files.

``python -m tests.bench.reports [FOLDER]``: makes 10 million event rows in FOLDER (1.1 GB; below the temporary folder when
not given) unless they are there, asks each question three times of each side in turn, checks that the answers are
equal, and prints a table. Everybody reads the same prepared copies and identities.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.bench.markdown import table
from tests.bench.reports_data import write
from tests.bench.reports_ours import QUESTIONS, answered, opened

ROWS, DAYS, TIMES = 10_000_000, 75, 3
MAIN = ("categories", "dropped", "conversion", "arpu")
"""Asked of all rivals; the others of DuckDB alone."""
RIVALS = ("duckdb", "polars", "chdb")


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(tempfile.gettempdir()) / "connector-bench-reports")
    if not (root / "tables").is_dir():
        root.mkdir(parents=True, exist_ok=True)
        write(root, ROWS, DAYS)
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder)
        _, desk = opened(root)
        lake: Any = desk._lake
        lake.execute(f"COPY identities TO '{prepared}/identities.parquet'")
        columns = "row_id, captured_file, captured_index"
        lake.execute(
            f"COPY (SELECT {columns} FROM copies WHERE table_name = 'events') TO '{prepared}/copies.parquet'"
        )
        rows = [_compared(root, prepared, desk, name) for name in QUESTIONS]
    print(table(("question", "connector, s", "best by hand, s", "by", "ratio"), rows))


def _compared(root: Path, prepared: Path, desk: Any, name: str) -> tuple[str, ...]:
    question = QUESTIONS[name]
    expected = _plain(question.rows(answered(desk, question)))
    ours = _best(lambda: answered(desk, question))
    found: dict[str, float] = {}
    for rival in RIVALS if name in MAIN else RIVALS[:1]:
        ask = import_module(f"tests.bench.reports_{rival}").rival(root, prepared, name)
        if _plain(ask()) != expected:
            raise SystemExit(f"{name}: {rival} gives another answer")
        found[rival] = _best(ask)
    best = min(found, key=found.__getitem__)
    line = (name, f"{ours:.2f}", f"{found[best]:.2f}", best, f"{ours / found[best]:.2f}")
    print(*line, {rival: round(seconds, 2) for rival, seconds in found.items()}, file=sys.stderr, flush=True)
    return line


def _best(ask: Callable[[], object]) -> float:
    """Seconds of the quickest of three."""
    seconds = []
    for _ in range(TIMES):
        began = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def _plain(rows: Any) -> list[tuple[Any, ...]]:
    return sorted((tuple(map(_value, row)) for row in rows), key=repr)


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return round(value.timestamp() * 1_000)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | float | int):
        return Decimal(str(value)).quantize(Decimal("0.000001"))
    return value


if __name__ == "__main__":
    main()
