"""Limits of a template that contradict each other, and the batch size that is safe. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from connector.errors import ConfigError
from connector.tables.layout import FIRST_DAY

BODY_BYTES = 5_000_000
"""A body that Lambda lets through: it takes an event of 6 MB, and a JSON body is escaped inside it."""
_MEGABYTE = 1 << 20
_VISIBILITY_TIMES = 6
_LONG_WEEKEND_SECONDS = 4 * 86_400
_GRACE_SECONDS = 1_800
"""The longest a query of Athena runs."""
_SEGMENT_MILLISECONDS = 5_000

Values = Mapping[str, Any]


class Finding(NamedTuple):
    """What one check found."""

    is_fault: bool
    """False: it works, and costs something that a person should know."""
    text: str


class _Check(NamedTuple):
    holds: Callable[[Values], bool]
    text: str
    is_fault: bool = True


_CHECKS = (
    _Check(
        lambda v: v["QueueVisibilitySeconds"] >= _VISIBILITY_TIMES * v["WriterTimeoutSeconds"],
        "QueueVisibilitySeconds: below 6 times WriterTimeoutSeconds; a journal object would be given to a "
        "second writer while the first still works",
    ),
    _Check(
        lambda v: v["QueueRetentionSeconds"] > v["QueueVisibilitySeconds"] * v["MaxReceiveCount"],
        "QueueRetentionSeconds: a message would end before its tries do, with no dead letter",
    ),
    _Check(
        lambda v: v["QueueRetentionSeconds"] >= _LONG_WEEKEND_SECONDS,
        "QueueRetentionSeconds: below 4 days; messages would end over a long weekend without a writer",
    ),
    _Check(
        lambda v: v["WriterBatchSize"] == 1,
        "WriterBatchSize: above 1; objects that one invocation has no time for are counted as tried",
        False,
    ),
    _Check(
        lambda v: v["WriterReservedConcurrency"] >= v["WriterMaximumConcurrency"],
        "WriterReservedConcurrency: below WriterMaximumConcurrency; the queue would start "
        "writers that are refused, and each refusal counts as a try",
    ),
    _Check(
        lambda v: v["UnpackedMaxBytes"] >= 2 * v["BufferMegabytes"] * _MEGABYTE,
        "UnpackedMaxBytes: below twice BufferMegabytes; the writer would refuse what Firehose makes",
    ),
    _Check(
        lambda v: v["WriterDiskMegabytes"] * _MEGABYTE >= 3 * v["UnpackedMaxBytes"],
        "WriterDiskMegabytes: below 3 times UnpackedMaxBytes; an object and what is made of it may not fit",
    ),
    _Check(
        lambda v: v["WriterMemoryMegabytes"] >= 8 * v["BufferMegabytes"],
        "WriterMemoryMegabytes: below 8 times BufferMegabytes; a journal object may not be mapped in time",
        False,
    ),
    _Check(
        lambda v: v["JanitorDiskMegabytes"] * _MEGABYTE >= 3 * v["CompactTargetBytes"],
        "JanitorDiskMegabytes: below 3 times CompactTargetBytes; files of that size cannot be merged",
    ),
    _Check(
        lambda v: v["OpenAfterSeconds"] > v["BufferSeconds"],
        "OpenAfterSeconds: not above BufferSeconds; an audit would find what is only on its way",
    ),
    _Check(
        lambda v: v["DeliveryFreshnessAlarmSeconds"] > v["BufferSeconds"],
        "DeliveryFreshnessAlarmSeconds: not above BufferSeconds; the alarm would never end",
    ),
    _Check(
        lambda v: v["JournalDelayAlarmSeconds"] > v["BufferSeconds"],
        "JournalDelayAlarmSeconds: not above BufferSeconds; the alarm would never end",
    ),
    _Check(
        lambda v: v["ReceiverLatencyAlarmMilliseconds"] < _SEGMENT_MILLISECONDS,
        "ReceiverLatencyAlarmMilliseconds: not below 5,000; Segment has given up by then",
        False,
    ),
    _Check(
        lambda v: v["GraceSeconds"] >= _GRACE_SECONDS,
        "GraceSeconds: below 1,800; a long query of Athena may find files gone that it wants to read",
        False,
    ),
    _Check(
        lambda v: v["FirstDay"] <= FIRST_DAY.isoformat(),
        "FirstDay: Athena will see no row of an earlier day, and none without any time",
        False,
    ),
)


def values_of(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """The template's defaults under what is going to be given at deployment; numbers are numbers.

    Raises:
        ConfigError: there is no such parameter, or a number is none.
    """
    parameters = template.get("Parameters", {})
    faults = [
        f"--parameter {name}: the template has no such parameter" for name in given if name not in parameters
    ]
    values: dict[str, Any] = {}
    for name, declared in parameters.items():
        value = given.get(name, declared.get("Default"))
        if declared["Type"] == "Number":
            try:
                value = int(value)
            except (TypeError, ValueError):
                faults.append(f"--parameter {name}: should be a whole number")
        values[name] = value
    if faults:
        raise ConfigError("\n".join(faults))
    return values


def contradictions(values: Values) -> list[Finding]:
    """Limits that do not go together, faults first. Limits that a template does not have are passed over."""
    found = [Finding(check.is_fault, check.text) for check in _CHECKS if not _holds(check, values)]
    return sorted(found, key=lambda finding: not finding.is_fault)


def safe_batch(largest_event_bytes: int) -> int:
    """Events that a batch in Segment may have: floor(5,000,000 / largest event); 0: not even one is safe."""
    return BODY_BYTES // largest_event_bytes


def _holds(check: _Check, values: Values) -> bool:
    try:
        return check.holds(values)
    except KeyError:
        return True
