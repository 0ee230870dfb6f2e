"""Events through the Mixpanel destination: ours beside Segment's own under Node, in one run."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import yaml

from connector.actions.destination import compile_destination
from connector.events import Json
from connector.sample import sample_events
from tests.bench.markdown import table
from tests.bench.measured import say
from tests.oracle.install import DEFAULT_FOLDER, node_path
from tests.oracle.oracle import missing

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5
_BATCH = 1_000
_DRIVER = ROOT / "tests/oracle/bench.cjs"
_EVENT_ACTIONS = ("trackEvent", "trackPurchase")
_SEGMENTS_SETTINGS = ("projectToken", "apiSecret", "apiRegion", "strictMode")
_SECONDS = 900.0


class Round(NamedTuple):
    """One pass over all events."""

    cpu_seconds: float
    """User and system time of the process."""
    records: int


def bench_mapping(folder: Path, events: int) -> str:
    """Return a Markdown table and how it was made.

    Args:
        folder: for the file with the events.
        events: how many to map, made by ``connector.sample``.

    Raises:
        SystemExit: Segment's engine is not installed, or made other records.
    """
    if (what := missing()) is not None:
        raise SystemExit(f"missing: {what}")
    document = _document()
    drawn = [
        event for event in sample_events(events=2 * events) if event["type"] in ("track", "page", "screen")
    ]
    job = {**document, "events": drawn[:events]}
    file = folder / "mapping.json"
    file.write_text(json.dumps({**job, "settings": _known_to_segment(document["settings"])}))
    say(f"mapping: {len(job['events']):,} events, {ROUNDS} rounds of each side")
    ours = _ours(document, job["events"])
    alone, batched = _theirs(file, 1), _theirs(file, _BATCH)
    if len({side.records for sides in (ours, alone, batched) for side in sides}) != 1:
        raise SystemExit("the sides made different numbers of records")
    names = (
        "connector, one event at a time",
        "Segment's engine, one event at a time",
        f"Segment's engine, batches of {_BATCH:,}",
    )
    rates = [
        median(len(job["events"]) / each.cpu_seconds for each in side) for side in (ours, alone, batched)
    ]
    rows = [[name, f"{rate:,.0f}"] for name, rate in zip(names, rates, strict=True)]
    rows.append(["ratio, both one at a time", f"**{rates[0] / rates[1]:.2f}**"])
    rows.append(["ratio to batches", f"**{rates[0] / rates[2]:.2f}**"])
    titles = (f"Mixpanel mapping, {len(job['events']):,} events", "events per CPU-second")
    return f"{table(titles, rows)}\n\n{_how(ours[0].records)}"


def _document() -> dict[str, Any]:
    """The shipped document with the subscriptions whose actions send events."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "mappings/mixpanel.yaml").read_text())
    kept = [item for item in document["subscriptions"] if item["partnerAction"] in _EVENT_ACTIONS]
    return {"settings": document["settings"], "subscriptions": kept}


def _known_to_segment(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: settings[key] for key in _SEGMENTS_SETTINGS if key in settings}


def _ours(document: Json, events: list[Json]) -> list[Round]:
    run = compile_destination(document)
    return [_round(run, events) for _ in range(ROUNDS)]


def _round(run: Callable[[Json], list[dict[str, Json]]], events: list[Json]) -> Round:
    records = 0
    started = time.process_time()
    for event in events:
        records += len(run(event))
    return Round(time.process_time() - started, records)


def _theirs(file: Path, size: int) -> list[Round]:
    command = ["node", str(_DRIVER), str(file), str(ROUNDS), str(size)]
    environment = {**os.environ, "NODE_PATH": str(node_path(DEFAULT_FOLDER)), "TZ": "UTC"}
    ran = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=_SECONDS)
    return [Round(**json.loads(line)) for line in ran.stdout.splitlines()]


def _how(records: int) -> str:
    return (
        "How: `mappings/mixpanel.yaml` with the subscriptions that send events, the same calls of "
        f"`connector.sample` on both sides, {records:,} records out of each round; from the decoded event to "
        "the records: subscriptions, mapping, field check, action; neither side writes JSON or builds a "
        "request. Segment's engine reads the subscriptions and checks the mapping again on every call, ours "
        f"once. CPU time of each process around the loop, {ROUNDS} rounds, the first included; medians."
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mapping", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="how many events; default 20000")
    events = parser.parse_args().events
    with tempfile.TemporaryDirectory(prefix="connector-bench-") as name:
        print(bench_mapping(Path(name), events))


if __name__ == "__main__":
    main()
