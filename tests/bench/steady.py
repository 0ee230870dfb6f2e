"""Ten minutes at half of the peak against a real ``connector serve``: latency and memory, by minute."""

from __future__ import annotations

import argparse
import signal
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from tests.bench.events import BATCH_EVENTS, BATCH_EVERY
from tests.bench.measured import say
from tests.bench.paced import Plan, Result, Slice, load
from tests.bench.record import Record
from tests.bench.served import KINDS, SECRET, SOURCE, audited, drained, kinds, resident_mb, service, stop
from tests.bench.suite import HOST

SHARE = 0.5
SAMPLE_SECONDS = 2.0
_COLUMNS = (
    "minute", "requests/s", "events/s", "p50, ms", "p99, ms", "longest, ms", "receivers, MB", "writer, MB",
    "janitor, MB",
)  # fmt: skip


@dataclass
class Memory:
    """Largest of the samples of each slice, by kind of process."""

    largest_mb: list[dict[str, float]] = field(default_factory=list)

    def see(self, at: int, pid: int) -> None:
        while len(self.largest_mb) <= at:
            self.largest_mb.append(dict.fromkeys(KINDS, 0.0))
        for kind, processes in kinds(pid).items():
            here = self.largest_mb[at]
            here[kind] = max(here[kind], resident_mb(processes))


def main() -> None:
    options = _options()
    record = Record()
    signal.signal(signal.SIGTERM, _leave)
    with tempfile.TemporaryDirectory(prefix="connector-steady-") as name:
        folder = Path(name)
        peak = 0.0 if options.rate else _peak(folder / "peak", options.peak_seconds)
        rate = options.rate or peak * options.share
        result, memory, report, seconds = _steady(
            folder / "steady", rate, options.seconds, options.slice_seconds
        )
    _check(result, report)
    minutes = f"{options.seconds / 60:.0f} minutes" if options.seconds >= 60 else f"{options.seconds:.0f} s"
    title = f"{minutes} at " + (f"{rate / peak:.0%} of the peak" if peak else f"{rate:,.0f} requests/s")
    how = _how(peak, rate, result, report, options, seconds, memory)
    record.keep(title, _COLUMNS, _rows(result, memory, report, options.slice_seconds), how)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.steady", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="length of the load; default 600")
    parser.add_argument("--peak-seconds", type=float, default=20.0, help="to find the peak; default 20")
    parser.add_argument("--share", type=float, default=SHARE, help="of the peak; default 0.5")
    parser.add_argument("--rate", type=float, help="requests/s; no peak is measured then")
    parser.add_argument("--slice-seconds", type=float, default=60.0, help="length of a row; default 60")
    options = parser.parse_args()
    if min(options.seconds, options.peak_seconds, options.share, options.slice_seconds) <= 0:
        parser.error("numbers must be above zero")
    return options


def _leave(*_: object) -> NoReturn:
    """An exception, so that every process is stopped and the temporary folder is removed."""
    raise SystemExit(143)


def _peak(folder: Path, seconds: float) -> float:
    """Requests per second as fast as it goes, the writer at work from the first second."""
    say(f"steady: looking for the peak, {seconds:g} s")
    with closing(service(folder, roll_seconds=1.0)) as served:
        served.start()
        plan = Plan(HOST, served.port, SOURCE, SECRET, "peak", 0.0, seconds, slice_seconds=seconds)
        with load(plan) as running:
            result = running.result()
    peak = result.total("answered") / seconds
    say(f"steady: {peak:,.0f} requests/s, the generator took {result.client_cores:.2f} cores")
    return peak


def _steady(
    folder: Path, rate: float, seconds: float, slice_seconds: float
) -> tuple[Result, Memory, dict[str, Any], float]:
    """The load, its memory, the report of the audit, and how long the drain took."""
    say(f"steady: {rate:,.0f} requests/s for {seconds:g} s")
    memory = Memory()
    with closing(service(folder)) as served:
        served.start()
        plan = Plan(HOST, served.port, SOURCE, SECRET, "steady", rate, seconds, slice_seconds=slice_seconds)
        with load(plan) as running:
            began = time.monotonic()
            while running.alive:
                elapsed = time.monotonic() - began
                if elapsed < seconds:
                    memory.see(int(elapsed / slice_seconds), served.pid)
                time.sleep(min(SAMPLE_SECONDS, slice_seconds / 4))
            result = running.result()
        say("steady: drain and audit")
        began = time.monotonic()
        drained(served)
        took = time.monotonic() - began
        stop(served)
        return result, memory, audited(served), took


def _check(result: Result, report: dict[str, Any]) -> None:
    """Every acknowledged event is stored, or is a duplicate."""
    acknowledged, kept = result.total("events"), _kept(report)
    broken = result.total("broken")
    if kept < acknowledged or (not broken and kept != acknowledged):
        raise SystemExit(f"{acknowledged} events were acknowledged; the ledger says: {report['fates']}")


def _kept(report: dict[str, Any]) -> int:
    return int(report["fates"]["stored"]) + int(report["fates"]["duplicate"])


def _rows(result: Result, memory: Memory, report: dict[str, Any], slice_seconds: float) -> list[list[str]]:
    rows = []
    for number, each in enumerate(result.slices):
        held = memory.largest_mb[number] if number < len(memory.largest_mb) else dict.fromkeys(KINDS, 0.0)
        rows.append(
            [str(number + 1), *_figures(each, slice_seconds), *(f"{held[kind]:,.0f}" for kind in KINDS)]
        )
    blank = [""] * (len(_COLUMNS) - 2)
    other, broken = result.total("other"), result.total("broken")
    rows.append(["answers other than 200", f"{other:,}", *blank])
    if broken:
        rows.append(["connections broken before the answer", f"{broken:,}", *blank])
    rows.append(["events acknowledged", f"{result.total('events'):,}", *blank])
    rows.append(["events stored + duplicate", f"{_kept(report):,}", *blank])
    return rows


def _figures(each: Slice, seconds: float) -> list[str]:
    latencies = [each.latency_ms(share) for share in (0.5, 0.99, 1.0)]
    rates = [each.answered / seconds, each.events / seconds]
    return [*(f"{rate:,.0f}" for rate in rates), *(f"{latency:,.1f}" for latency in latencies)]


def _how(
    peak: float, rate: float, result: Result, report: dict[str, Any], options: argparse.Namespace,
    drain_seconds: float, memory: Memory,
) -> str:  # fmt: skip
    if options.rate:
        looked = f"The rate of {rate:,.0f} requests/s was given, no peak was measured."
    else:
        looked = (
            f"The peak, {peak:,.0f} requests/s, was measured just before for {options.peak_seconds:g} s with "
            "64 connections, each sending again as soon as it had its answer, and journal files closed each "
            "second, so that the writer was at work; the load after it is planned at "
            f"{rate:,.0f} requests/s."
        )
    fates = report["fates"]
    return (
        f"{looked} `connector serve` with its default settings: 2 receivers, writer, janitor. Signed "
        "requests of the sample shop, each event with an id of its own and the time of now; one request in "
        f"{BATCH_EVERY} is a batch of {BATCH_EVENTS} events. Open loop: requests are sent at a fixed rate, "
        "and latency counts from the planned time to the whole answer, waiting for one of 64 connections "
        f"included. Memory: resident, largest of samples every {SAMPLE_SECONDS:g} s, pages that processes "
        f"share counted in each. {_growth(memory)} Drained in {drain_seconds:.1f} s after the load; then "
        f"`connector audit` ended with exit code 0: received {report['received']:,} = stored "
        f"{fates['stored']:,} + duplicate {fates['duplicate']:,} + others "
        f"{report['received'] - _kept(report):,}. The generator, one process on the same cores, kept "
        f"{result.client_cores:.2f} of a core busy; with a connection free it sent p99 "
        f"{result.late_ms[0]:.1f} ms, at worst {result.late_ms[1]:.0f} ms, late; {result.waited:,} requests "
        "waited for a connection."
    )


def _growth(memory: Memory) -> str:
    if len(memory.largest_mb) < 3:
        return "The load was too short to speak of growth."
    second, last = memory.largest_mb[1], memory.largest_mb[-1]
    parts = ", ".join(f"{kind} {last[kind] - second[kind]:+,.0f} MB" for kind in KINDS)
    total = sum(last.values()) - sum(second.values())
    return f"From the second row to the last: {parts}, together {total:+,.0f} MB."


if __name__ == "__main__":
    main()
