"""Cases beside a mapping: an event, and the rows it must give. Pure.

A case is ``{name, event | raw, expect}`` and, where it matters, ``source``, ``route``, ``proven``,
``received_at`` and ``settings``. ``raw`` is the record's own text (YAML's ``!!binary`` for bytes that are no
text), for what YAML and JSON cannot say: ``NaN``, lone surrogates, a brace that never closes. ``settings``
are keys of ``connector.yaml`` that rows depend on; those of a source are meant for the case's own source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from connector.errors import ConfigError
from connector.events import Captured, Json, Outcome, Row
from connector.jsontext import decode, dumps
from connector.tables import Table
from connector.values.public import public_row
from connector.values.times import read_time

_KEYS = frozenset(("name", "event", "raw", "source", "route", "proven", "received_at", "settings", "expect"))
_NOTHING = "nothing"
_ABSENT = object()
_CONTEXT = 20
"""Characters shown before the first that differs."""
_MOST_SHOWN = 120
_LAKE_KEYS = frozenset(("columns", "first_day", "future_bound_ms", "past_bound_days", "revenue_from"))


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a ``*.cases.yaml`` file."""

    name: str
    captured: Captured
    expect: list[Json]
    """``{table, row, absent}`` or ``{rejected: {code}}`` each; empty: no subscription matches."""
    settings: Mapping[str, Json] = field(default_factory=dict)
    """What differs from the defaults, by key of ``connector.yaml`` or of its source's entry there."""

    @property
    def configuration(self) -> dict[str, Json]:
        """The settings in their places: ``{"first_day": ..., "sources": {"web": {"currency": "EUR"}}}``."""
        lake = {key: value for key, value in self.settings.items() if key in _LAKE_KEYS}
        of_source = {key: value for key, value in self.settings.items() if key not in _LAKE_KEYS}
        return {**lake, "sources": {self.captured.source: of_source}} if of_source else lake


def read_cases(document: Json, where: str) -> list[Case]:
    """Check the shape of a cases file.

    Raises:
        ConfigError: the first fault, with its place.
    """
    if not isinstance(document, list):
        raise ConfigError(f"{where}: should be a list of cases")
    return [_read_case(item, f"{where}: case {place}") for place, item in enumerate(document)]


def _read_case(item: Json, where: str) -> Case:
    if (
        not isinstance(item, dict)
        or not isinstance(item.get("name"), str)
        or ("event" in item) == ("raw" in item)
    ):
        raise ConfigError(f"{where}: needs a name, an event (or its raw text) and what to expect")
    unknown = set(item) - _KEYS
    if unknown or not isinstance(item.get("expect"), list) or not isinstance(item.get("settings", {}), dict):
        raise ConfigError(f"{where}: knows {', '.join(sorted(_KEYS))}; expect is a list, settings an object")
    for place, wanted in enumerate(item["expect"]):
        if not _is_expectation(wanted):
            raise ConfigError(
                f"{where}: expect[{place}]: is either {{table, row, absent}} or {{rejected: {{code}}}}"
            )
    captured = _captured(item, _record(item, where))
    return Case(item["name"], captured, item["expect"], _as_json(item.get("settings", {})))


def _as_json(value: Json) -> Json:
    """Through JSON and back: YAML knows dates and keys that no sender can send."""
    return decode(dumps(value).encode()).value


def _record(item: Json, where: str) -> bytes:
    """The bytes that the sender would have sent."""
    if "event" in item:
        return dumps(item["event"]).encode()
    raw = item["raw"]
    if not isinstance(raw, str | bytes):
        raise ConfigError(f"{where}: raw is the text of a record, or !!binary")
    return raw.encode() if isinstance(raw, str) else raw


def _captured(item: Json, raw: bytes) -> Captured:
    arrival = item.get("received_at")
    event, error, repaired = decode(raw)
    return Captured(
        captured_file="case",
        captured_index=0,
        source=item.get("source", "file"),
        route=item.get("route", "webhook"),
        received_at_ms=None if arrival is None else read_time(str(arrival)).ms,
        proven=item.get("proven", "none"),
        event=event,
        error=error,
        repaired=repaired,
        raw=lambda: raw,
        place="case",
    )


def _is_expectation(item: Json) -> bool:
    if not isinstance(item, dict):
        return False
    if "rejected" in item:
        said = item["rejected"]
        return item.keys() == {"rejected"} and isinstance(said, dict) and said.keys() == {"code"}
    row, absent = item.get("row", {}), item.get("absent", [])
    shaped = isinstance(row, dict) and isinstance(absent, list)
    return shaped and "table" in item and item.keys() <= {"table", "row", "absent"}


class Difference(NamedTuple):
    """One thing of an outcome that is not as expected; ``str`` of it is one line."""

    place: str
    """``expect[0].row.price``, or ``row[2]`` for a row that no expectation stands for."""
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.place}: expected {self.expected}, got {self.got}"


def differences(
    case: Case, pipeline: Callable[[Captured], Outcome], tables: Mapping[str, Table]
) -> Iterator[Difference]:
    """What of the outcome is not as expected, in the order of the rows; nothing when the case holds.

    As many rows as expected are compared one by one. Otherwise what is said of table and event tells which
    row is meant, and the others are missing or too many.
    """
    got = public_outcome(pipeline(case.captured), tables)
    for place, wanted, found in _pairs(case.expect, got):
        if wanted is None:
            yield Difference(f"row[{place}]", "no row", _summary(found))
        elif found is None:
            yield Difference(f"expect[{place}]", _wanted(wanted), "no row")
        else:
            yield from _compare(wanted, found, f"expect[{place}]", tables)


def _pairs(wanted: Sequence[Json], got: Sequence[Json]) -> Iterator[tuple[int, Json, Json]]:
    """Expectations and their rows in order; None where one has no other. The place is the expectation's,
    else the row's."""
    if len(wanted) == len(got):
        yield from ((place, *pair) for place, pair in enumerate(zip(wanted, got, strict=True)))
        return
    taken = 0
    for place, expectation in enumerate(wanted):
        found = next((at for at in range(taken, len(got)) if _is_meant(expectation, got[at])), None)
        if found is None:
            yield place, expectation, None
            continue
        yield from ((at, None, got[at]) for at in range(taken, found))
        yield place, expectation, got[found]
        taken = found + 1
    yield from ((at, None, got[at]) for at in range(taken, len(got)))


def _is_meant(wanted: Json, found: Mapping[str, Json]) -> bool:
    if "rejected" in wanted or "rejected" in found:
        return "rejected" in wanted and "rejected" in found
    named = wanted.get("row", {}).get("event")
    return wanted["table"] == found["table"] and named in (None, found["row"].get("event"))


def public_outcome(outcome: Outcome, tables: Mapping[str, Table]) -> list[dict[str, Json]]:
    """What ``connector map`` prints for one event: ``{"table", "row"}`` or ``{"rejected"}`` each."""
    if outcome.rejected is not None:
        rejected = outcome.rejected
        said: dict[str, Json] = {"code": rejected.code, "message": rejected.message}
        if rejected.violations:
            said["violations"] = [violation._asdict() for violation in rejected.violations]
        return [{"rejected": said}]
    return [{"table": row.table, "row": _public(row, tables)} for row in outcome.rows]


def _public(row: Row, tables: Mapping[str, Table]) -> dict[str, Json]:
    """The row as JSON; a record for Mixpanel is JSON already, and its table is declared nowhere."""
    table = tables.get(row.table)
    return row.columns if table is None else public_row(row.columns, table)


def _compare(
    wanted: Json, found: Mapping[str, Json], where: str, tables: Mapping[str, Table]
) -> Iterator[Difference]:
    if "rejected" in wanted:
        code = found.get("rejected", {}).get("code")
        if code != wanted["rejected"]["code"]:
            yield Difference(where, _wanted(wanted), _summary(found))
        return
    if found.get("table") != wanted.get("table"):
        yield Difference(f"{where}.table", str(wanted.get("table")), _summary(found))
        return
    table = tables.get(found["table"])
    compare = _compare_record if table is None else partial(_compare_row, table)
    yield from compare(wanted, found["row"], f"{where}.row")


def _compare_row(table: Table, wanted: Json, row: Mapping[str, Json], where: str) -> Iterator[Difference]:
    """A row of the lake: its columns are declared, and what is null is not in it."""
    for column in (*wanted.get("row", {}), *wanted.get("absent", ())):
        if column not in table.by_name:
            yield Difference(f"{where}.{column}", f"a column of {table.name}", "no such column")
    for column, value in wanted.get("row", {}).items():
        yield from _unequal(value, row.get(column), f"{where}.{column}", whole=True)
    for column in wanted.get("absent", ()):
        if column in row:
            yield Difference(f"{where}.{column}", "null", dumps(row[column]))


def _compare_record(wanted: Json, record: Json, where: str) -> Iterator[Difference]:
    """A record for Mixpanel: what is named must be so at any depth, the rest may be anything."""
    yield from _unequal(wanted.get("row", {}), record, where, whole=False)
    for path in wanted.get("absent", ()):
        found = record
        for key in path.split("."):
            found = found.get(key, _ABSENT) if isinstance(found, dict) else _ABSENT
        if found is not _ABSENT:
            yield Difference(f"{where}.{path}", _NOTHING, dumps(found))


def _unequal(wanted: Json, found: Json, where: str, *, whole: bool) -> Iterator[Difference]:
    """Values that differ, inside objects key by key; ``whole``: keys nobody named are too many."""
    if not (isinstance(wanted, dict) and isinstance(found, dict)):
        if wanted != found:
            yield Difference(where, *_around(dumps(wanted), dumps(found)))
        return
    for key, value in wanted.items():
        if key in found:
            yield from _unequal(value, found[key], f"{where}.{key}", whole=whole)
        else:
            yield Difference(f"{where}.{key}", dumps(value), _NOTHING)
    for key in found if whole else ():
        if key not in wanted:
            yield Difference(f"{where}.{key}", _NOTHING, dumps(found[key]))


def _around(expected: str, got: str) -> tuple[str, str]:
    """Both texts, long ones cut to where they begin to differ."""
    pairs = zip(expected, got, strict=False)
    differs = next(
        (at for at, (one, other) in enumerate(pairs) if one != other), min(len(expected), len(got))
    )
    start = max(differs - _CONTEXT, 0) if max(len(expected), len(got)) > _MOST_SHOWN else 0
    return _cut(expected, start), _cut(got, start)


def _cut(text: str, start: int) -> str:
    end = start + _MOST_SHOWN
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _wanted(expectation: Json) -> str:
    if "rejected" in expectation:
        return f"rejected {expectation['rejected']['code']}"
    event = expectation.get("row", {}).get("event")
    return str(expectation["table"]) if event is None else f"{expectation['table']} {event}"


def _summary(item: Mapping[str, Json]) -> str:
    if "rejected" in item:
        return f"rejected {item['rejected']['code']}"
    named = item["row"].get("event", item["row"].get("type"))
    return str(item["table"]) if named is None else f"{item['table']} {named}"
