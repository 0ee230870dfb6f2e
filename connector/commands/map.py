"""``connector map``: events in, the rows they would become out; nothing is written."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import orjson

from connector.cases import public_outcome
from connector.config import Settings
from connector.errors import ConfigError
from connector.journal.reader import open_captured
from connector.wiring import dry_run


def run(settings: Settings, file: str, source: str) -> None:
    """Print one JSON line per row or rejected event, in order.

    Raises:
        ConfigError: the mapping is wrong or the file is not there.
    """
    configured = dry_run(settings)
    tables = {table.name: table for table in configured.tables}
    with tempfile.TemporaryDirectory(prefix="connector-map-") as folder:
        path = Path(file)
        if file == "-":
            path = Path(folder) / "input"
            path.write_bytes(sys.stdin.buffer.read())
        if not path.is_file():
            raise ConfigError(f"{file}: no such file")
        for part in open_captured(path, source=source).parts():
            for captured in part:
                for item in public_outcome(configured.pipeline(captured), tables):
                    sys.stdout.buffer.write(orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()
