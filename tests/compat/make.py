"""
Freeze what this release writes: ``python -m tests.compat.make 0.1.0``, by hand, before it is released.

Made from the examples and the sample shop through the commands themselves. Nothing of the machine goes in:
paths are relative, the journal file's name is made up, lock files are removed.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from connector import __version__
from connector.events import Capture, Proven
from connector.journal.frames import frame_header
from connector.sample import sample_events
from tests.compat.frozen import HERE, PRIVACY_KEY, PRIVACY_KEY_VARIABLE, Frozen, figures

MAX_BYTES = 400_000
_EXAMPLES = HERE.parents[1] / "examples"
_JOURNAL_FILE = "20260105T100000000Z-shop-1-00c0ffee"
_SHOP_EVENTS, _IN_JOURNAL, _BATCH = 100, 96, 20
_DELETION = _EXAMPLES / "calls" / "delete.json"
"""Obeyed only with a proof, so it is sent to the receiver as well."""
_BROKEN = b'{"type":"track","event":"Order Comple'
_FRAGMENT = b'{"product_id":"p-1","price":19.99}'
_TORN = b'{"capture":1,"file":"20260105T100000000Z-shop-1-00c0ffee","seq":99'


def main(release: str) -> None:
    """Make ``tests/compat/<release>/`` anew."""
    if release != __version__:
        raise SystemExit(f"this is {__version__}: the folder of {release} can only be made by that release")
    frozen = Frozen(HERE / release)
    shutil.rmtree(frozen.folder, ignore_errors=True)
    _write_captured(frozen)
    _connector(frozen, "drain", "--data", "data")
    _connector(frozen, "replay", "captured", "--data", "data")
    _connector(frozen, "audit", "--data", "data")
    _tidy(frozen.data)
    frozen.expected.write_text(json.dumps(figures(frozen.data), indent=2) + "\n", encoding="utf-8")
    size = sum(path.stat().st_size for path in frozen.folder.rglob("*") if path.is_file())
    print(f"{size:,} bytes in tests/compat/{release}")
    if size > MAX_BYTES:
        raise SystemExit(f"more than {MAX_BYTES:,} bytes: too much to keep for every release")


def _write_captured(frozen: Frozen) -> None:
    """The examples as gzip NDJSON; the shop's events in a journal file, the last as plain NDJSON."""
    shop = list(sample_events(events=_SHOP_EVENTS, days=1))
    frozen.captured.mkdir(parents=True)
    (frozen.captured / "examples.ndjson.gz").write_bytes(gzip.compress(_lines(_examples()), mtime=0))
    archive = _archive([orjson.dumps(event) for event in shop])
    (frozen.captured / "shop.ndjson").write_bytes(_lines(archive))
    closed = frozen.data / "journal" / "closed"
    closed.mkdir(parents=True)
    (closed / _JOURNAL_FILE).write_bytes(b"".join(_frames(shop[:_IN_JOURNAL])) + _TORN)


def _examples() -> Iterator[bytes]:
    for path in sorted(_EXAMPLES.glob("*/*.json")):
        yield orjson.dumps(orjson.loads(path.read_bytes()))


def _archive(shop: Sequence[bytes]) -> list[bytes]:
    """The last events, a copy of one of them, a copy of one in the journal, and what cannot be stored."""
    return [*shop[_IN_JOURNAL:], shop[-1], shop[0], _BROKEN, _FRAGMENT]


def _frames(events: Sequence[dict[str, Any]]) -> Iterator[bytes]:
    """Frames as the receiver writes them: a batch proven by its first element, singles, one unproven."""
    requests: list[tuple[Proven, list[dict[str, Any]]]] = [("first", list(events[:_BATCH]))]
    singles = [*events[_BATCH:-1], orjson.loads(_DELETION.read_bytes())]
    requests += [("all", [event]) for event in singles]
    requests.append(("none", [events[-1]]))
    for seq, (proven, sent) in enumerate(requests):
        body = orjson.dumps(sent if len(sent) > 1 else sent[0])
        key = None if proven == "none" else 0
        capture = Capture("web", "webhook", _arrival_ms(sent[-1]), body, proven, key, "application/json")
        yield frame_header(capture, _JOURNAL_FILE, seq) + body + b"\n"


def _arrival_ms(event: dict[str, Any]) -> int:
    """Shortly after Segment had it."""
    return round(datetime.fromisoformat(event["receivedAt"]).timestamp() * 1000) + 400


def _lines(events: Iterable[bytes]) -> bytes:
    return b"".join(event + b"\n" for event in events)


def _connector(frozen: Frozen, *arguments: str) -> None:
    """Run a command in the folder, so that every path it notes is relative."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONNECTOR_")}
    key = {PRIVACY_KEY_VARIABLE: PRIVACY_KEY, "CONNECTOR_PRIVACY_KEY": f"env:{PRIVACY_KEY_VARIABLE}"}
    subprocess.run(
        [sys.executable, "-m", "connector", *arguments], cwd=frozen.folder, env={**kept, **key}, check=True
    )


def _tidy(data: Path) -> None:
    """Remove lock files, which name the machine, and folders without a file, which git would not keep."""
    for path in data.glob(".*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in sorted(data.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m tests.compat.make RELEASE")
    main(sys.argv[1])
