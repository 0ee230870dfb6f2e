"""The sample store in DuckDB, through the product's own pipeline and files."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import orjson

from connector.lake.open import open_lake
from connector.sample import store_events

NOW = datetime(2026, 11, 1, tzinfo=UTC)
_FOLDERS: list[TemporaryDirectory[str]] = []


@lru_cache(maxsize=4)
def sample_data(*, people: int = 1_000, promotion: bool = False) -> Path:
    """A data folder that holds the sample store, replayed; made once a process, gone with it."""
    _FOLDERS.append(TemporaryDirectory(prefix="sample-store-"))
    folder = Path(_FOLDERS[-1].name)
    captured = folder / "captured.ndjson"
    with captured.open("wb") as file:
        for event in store_events(people=people, promotion=promotion):
            file.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))
    command = [sys.executable, "-m", "connector", "replay", str(captured), "--source", "web", "--data",
               str(folder / "data")]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return folder / "data"


def sample_lake(*, people: int = 1_000, promotion: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection with the views over it."""
    return open_lake(sample_data(people=people, promotion=promotion), rejected=False)
