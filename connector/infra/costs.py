"""What the deployment costs, from a table of prices: arithmetic that is shown, not a bill. Pure.

Prices are list prices of us-east-1 without free tiers, taxes and discounts. Sizes come from the template's
defaults and from what was measured on this project's own machine; what is only assumed is called so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil
from typing import NamedTuple

from connector.infra.alarms import ALARMS

PRICES_OF = "November 2025, as AWS's price pages listed them; look at them before you rely on a figure"

LAMBDA_REQUESTS = 0.20 / 1_000_000
LAMBDA_GB_SECOND = 0.0000133334
FIREHOSE_GB = 0.029
S3_PUT = 0.005 / 1_000
S3_GET = 0.0004 / 1_000
S3_GB_MONTH = 0.023
SQS_REQUEST = 0.40 / 1_000_000
LOGS_GB = 0.50
METRIC_MONTH = 0.30
ALARM_MONTH = 0.10
SECRET_MONTH = 0.40
KMS_KEY_MONTH = 1.00

PRICES: tuple[tuple[str, float, str], ...] = (
    ("Lambda, request", 0.20, "million"),
    ("Lambda, arm64", LAMBDA_GB_SECOND, "GB-second"),
    ("Data Firehose, Direct PUT, each record rounded up to 5 KB", FIREHOSE_GB, "GB"),
    ("S3, PUT or LIST", 0.005, "thousand"),
    ("S3, GET", 0.0004, "thousand"),
    ("S3, storage", S3_GB_MONTH, "GB and month"),
    ("SQS, request", 0.40, "million"),
    ("CloudWatch Logs, taken in", LOGS_GB, "GB"),
    ("CloudWatch, metric of one's own", METRIC_MONTH, "month"),
    ("CloudWatch, alarm", ALARM_MONTH, "month"),
    ("Secrets Manager, secret", SECRET_MONTH, "month"),
    ("KMS, key", KMS_KEY_MONTH, "month"),
)
"""What, US dollars, for each."""

MILLION = 1_000_000
_GIB = 1 << 30
_RECORD_STEP_BYTES = 5 * 1024
_LARGEST_RECORD_BYTES = 1_000_000
_FRAME_BYTES = 230
"""Header and newline of a frame: 216 bytes were measured on a body of 2 kB."""
RECEIVER_MB = 1_024
_RECEIVER_MS = 20
"""Assumed: no Lambda was timed."""
_LOG_BYTES = 900
"""One metric line of the receiver and Lambda's own three, for each request; assumed."""
_WRITER_EVENTS_A_SECOND = 8_000
"""For one vCPU, which Lambda gives for 1,769 MB: measured for ``connector replay`` on a machine of ours."""
_VCPU_GB = 1_769 / 1_024
WRITER_MB = 2_048
_PARQUET_BYTES = 170
"""Of an event, whatever its size: measured on events of 2.1 kB; smaller ones take less."""
_GZIP = 5
"""How many times smaller the journal is in S3; assumed."""

_OBJECTS_A_MONTH = 30 * 24 * 60
"""Firehose writes at least every 60 s while there is traffic."""
_PUTS_AN_OBJECT = 7
"""Firehose's own, an intent, the record, and three or four files of tables and rejected events."""
_SECONDS_AN_OBJECT = 1.5
JANITOR_MB = RECONCILE_MB = 3_008
_JANITOR_RUNS, _JANITOR_SECONDS = 30 * 24 * 4, 20


_METRICS = 23
"""Figures that the four functions report."""


class Line(NamedTuple):
    """One position of a bill."""

    what: str
    how: str
    """The arithmetic."""
    usd: float


def per_million(event_bytes: int, events_a_delivery: int) -> list[Line]:
    """What a million events cost on top of ``a_month``.

    Args:
        event_bytes: of one event as JSON.
        events_a_delivery: Segment's batch size; 1: no batching.
    """
    deliveries = ceil(MILLION / events_a_delivery)
    frame_bytes = events_a_delivery * (event_bytes + 1) + _FRAME_BYTES
    seconds = deliveries * _RECEIVER_MS / 1_000
    log_gb = deliveries * _LOG_BYTES / 1e9
    writer_gb_s = MILLION / _WRITER_EVENTS_A_SECOND * _VCPU_GB
    return [
        Line("receiver, requests", f"{deliveries:,} × 0.20 / million", deliveries * LAMBDA_REQUESTS),
        Line(
            "receiver, time",
            f"{deliveries:,} × {_RECEIVER_MS} ms × {RECEIVER_MB / 1_024:.0f} GB × {LAMBDA_GB_SECOND:.10f}",
            seconds * RECEIVER_MB / 1_024 * LAMBDA_GB_SECOND,
        ),
        Line("receiver, logs and metrics", f"{log_gb:.3f} GB × {LOGS_GB:.2f}", log_gb * LOGS_GB),
        _journal(deliveries, frame_bytes),
        Line(
            "writer",
            f"{MILLION:,} / {_WRITER_EVENTS_A_SECOND:,} s × {_VCPU_GB:.2f} GB × {LAMBDA_GB_SECOND:.10f}",
            writer_gb_s * LAMBDA_GB_SECOND,
        ),
        _storage(event_bytes),
    ]


def a_month() -> list[Line]:
    """What a month costs whatever arrives, while something arrives in every minute."""
    objects = _OBJECTS_A_MONTH
    writer_gb_s = objects * _SECONDS_AN_OBJECT * WRITER_MB / 1_024
    janitor_gb_s = _JANITOR_RUNS * _JANITOR_SECONDS * JANITOR_MB / 1_024
    return [
        Line(
            "objects: an object a minute",
            f"{objects:,} × {_PUTS_AN_OBJECT} PUT, 6 GET, 6 SQS requests",
            objects * (_PUTS_AN_OBJECT * S3_PUT + 6 * S3_GET + 6 * SQS_REQUEST),
        ),
        Line(
            "writer, starting on each",
            f"{objects:,} × {_SECONDS_AN_OBJECT} s × {WRITER_MB / 1_024:.0f} GB",
            writer_gb_s * LAMBDA_GB_SECOND,
        ),
        Line(
            "compaction, every 15 minutes",
            f"{_JANITOR_RUNS:,} × {_JANITOR_SECONDS} s × {JANITOR_MB / 1_024:.2f} GB",
            janitor_gb_s * LAMBDA_GB_SECOND,
        ),
        Line("waiting for messages", "5 pollers, a request every 20 s", 648_000 * SQS_REQUEST),
        Line(
            "reconciliation, hourly",
            f"720 × 10 s × {RECONCILE_MB / 1_024:.2f} GB, 100 LIST each",
            720 * (10 * RECONCILE_MB / 1_024 * LAMBDA_GB_SECOND + 100 * S3_PUT),
        ),
        Line("metrics", f"{_METRICS} × {METRIC_MONTH:.2f}", _METRICS * METRIC_MONTH),
        Line("alarms", f"{_alarms()} × {ALARM_MONTH:.2f}", _alarms() * ALARM_MONTH),
        Line("secrets and key", "2 × 0.40 + 1.00", 2 * SECRET_MONTH + KMS_KEY_MONTH),
    ]


def _alarms() -> int:
    """Those of a deployment without the HTTP API."""
    return sum(1 for alarm in ALARMS if alarm.condition is None)


def _journal(deliveries: int, frame_bytes: int) -> Line:
    """Firehose for what fits a record, else an object of its own."""
    if frame_bytes > _LARGEST_RECORD_BYTES:
        how = f"{deliveries:,} objects of their own × 0.005 / thousand"
        return Line("journal: straight to S3", how, deliveries * S3_PUT)
    billed = ceil(frame_bytes / _RECORD_STEP_BYTES) * _RECORD_STEP_BYTES
    gib = deliveries * billed / _GIB
    how = f"{deliveries:,} × {billed / 1_024:,.0f} KB = {gib:.2f} GB × {FIREHOSE_GB}"
    return Line("journal: Firehose", how, gib * FIREHOSE_GB)


def _storage(event_bytes: int) -> Line:
    journal, parquet = MILLION * event_bytes / _GZIP / 1e9, MILLION * _PARQUET_BYTES / 1e9
    how = f"({parquet:.2f} GB tables + {journal:.2f} GB journal) × {S3_GB_MONTH}"
    return Line("storage, the first month", how, (journal + parquet) * S3_GB_MONTH)


def total(lines: list[Line]) -> float:
    """US dollars."""
    return sum(line.usd for line in lines)


CASES = ((1_000, 1), (1_000, 100), (2_000, 1), (2_000, 100), (2_000, 450))
"""Event bytes and events of a delivery that the tables show."""

EXAMPLES = (1, 10, 100, 1_000)
"""Millions of events a month."""


def section() -> str:
    """The chapter on costs in the deployment notes, Markdown."""
    prices = ((what, _usd(usd), each) for what, usd, each in PRICES)
    parts = (
        f"Prices of us-east-1, US dollars: {PRICES_OF}.\n",
        _grid(("price", "US dollars", "for each"), prices),
        "For a million events. **Batching in Segment is what saves**:\n",
        _grid(("", *(f"{size:,} bytes, {_by(events)}" for size, events in CASES)), side_by_side()),
        "The arithmetic for 2,000 bytes, 100 together:\n",
        _bill(per_million(2_000, 100), 3),
        "And a month, whatever comes, while something comes every minute; a `BufferSeconds` of 300 divides "
        "the first two by five:\n",
        _bill(a_month(), 2),
        "Together, 2,000 bytes an event:\n",
        _grid(("events a month", "single", "100 together"), _months()),
        "Assumed, because no Lambda was timed: 20 ms for a request, 900 bytes of log for it, a journal five "
        "times smaller in gzip. Not counted: KMS requests, and what versioning keeps for seven days. "
        "Athena is 5 US dollars for a terabyte read; ten million events are 1.7 GB.",
    )
    return "\n".join(parts)


def _months() -> Iterator[tuple[str, ...]]:
    month = total(a_month())
    bills = [total(per_million(2_000, together)) for together in (1, 100)]
    for count in EXAMPLES:
        yield (f"{count:,} million", *(f"{month + count * bill:,.0f}" for bill in bills))


def _bill(lines: list[Line], digits: int) -> str:
    rows = ((line.what, line.how, f"{line.usd:.{digits}f}") for line in lines)
    return _grid(("what", "how", "US dollars"), rows)


def side_by_side() -> Iterator[tuple[str, ...]]:
    """Rows of a table: position, US dollars for each of ``CASES``; the last row sums up."""
    bills = [per_million(*case) for case in CASES]
    for lines in zip(*bills, strict=True):
        yield (lines[0].what, *(f"{line.usd:.3f}" for line in lines))
    yield ("**together**", *(f"**{total(bill):.2f}**" for bill in bills))


def _by(events: int) -> str:
    return "single" if events == 1 else f"{events} together"


def _usd(usd: float) -> str:
    return f"{usd:.10f}".rstrip("0") if usd < 0.0001 else f"{usd:g}"


def _grid(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines) + "\n"
