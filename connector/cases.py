"""Cases beside a mapping: an event, and the rows it must give. Pure.

A case is ``{name, event | raw, expect}`` and, where it matters, ``source``, ``route``, ``proven``,
``received_at`` and ``settings``. ``raw`` is the record's own text (YAML's ``!!binary`` for bytes that are no
text), for what YAML and JSON cannot say: ``NaN``, lone surrogates, a brace that never closes. ``settings``
are keys of ``connector.yaml`` that rows depend on; those of a source are meant for the case's own source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connector.errors import ConfigError
from connector.events import Captured, Json, Outcome
from connector.jsontext import decode, dumps
from connector.tables import Table
from connector.values.public import public_row
from connector.values.times import read_time

_KEYS = frozenset(("name", "event", "raw", "source", "route", "proven", "received_at", "settings", "expect"))
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


def differences(
    case: Case, pipeline: Callable[[Captured], Outcome], tables: Mapping[str, Table]
) -> Iterator[str]:
    """What of the outcome is not as expected, one line each; nothing when the case holds."""
    got = public_outcome(pipeline(case.captured), tables)
    if len(got) != len(case.expect):
        yield f"expected {len(case.expect)} rows, got {len(got)}: {_summary(got)}"
        return
    for place, (wanted, found) in enumerate(zip(case.expect, got, strict=True)):
        yield from _compare(wanted, found, f"expect[{place}]", tables)


def public_outcome(outcome: Outcome, tables: Mapping[str, Table]) -> list[dict[str, Json]]:
    """What ``connector map`` prints for one event: ``{"table", "row"}`` or ``{"rejected"}`` each."""
    if outcome.rejected is not None:
        rejected = outcome.rejected
        said: dict[str, Json] = {"code": rejected.code, "message": rejected.message}
        if rejected.violations:
            said["violations"] = [violation._asdict() for violation in rejected.violations]
        return [{"rejected": said}]
    return [{"table": row.table, "row": public_row(row.columns, tables[row.table])} for row in outcome.rows]


def _compare(
    wanted: Json, found: Mapping[str, Json], where: str, tables: Mapping[str, Table]
) -> Iterator[str]:
    if "rejected" in wanted:
        code = found.get("rejected", {}).get("code")
        if code != wanted["rejected"]["code"]:
            yield f"{where}: expected rejected {wanted['rejected']['code']}, got {_summary([found])}"
        return
    if found.get("table") != wanted.get("table"):
        yield f"{where}.table: expected {wanted.get('table')}, got {_summary([found])}"
        return
    row, columns = found["row"], tables[found["table"]].by_name
    for column in (*wanted.get("row", {}), *wanted.get("absent", ())):
        if column not in columns:
            yield f"{where}.row.{column}: no such column"
    for column, value in wanted.get("row", {}).items():
        if row.get(column) != value:
            yield f"{where}.row.{column}: expected {dumps(value)}, got {dumps(row.get(column))}"
    for column in wanted.get("absent", ()):
        if column in row:
            yield f"{where}.row.{column}: expected null, got {dumps(row[column])}"


def _summary(got: Sequence[Mapping[str, Json]]) -> str:
    return ", ".join(
        f"rejected {item['rejected']['code']}" if "rejected" in item
        else f"{item['table']} {item['row'].get('event', item['row'].get('type'))}"
        for item in got
    ) or "nothing"  # fmt: skip
