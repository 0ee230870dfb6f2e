"""A mapping document compiled to one function: call in, rows out. Every fault is found at start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, cast

from connector.actions.call import Call, Columns, LakeSettings, Refusal
from connector.actions.document import Subscription, nearest, raise_faults, read_document
from connector.actions.fields import Field
from connector.actions.prepare import prepare
from connector.actions.reading import is_missing
from connector.actions.store_event import EventRows, Overrides
from connector.actions.store_people import DeletionRows, PeopleRows
from connector.errors import Fault, MappingError
from connector.events import Flag, Json, Row
from connector.mapping import UNDEFINED, compile_mapping, compile_subscription
from connector.tables.model import PROMOTABLE, Table
from connector.tables.public import public_row
from connector.values.coerce import COERCERS

Perform = Callable[[Call, int], list[Row]]
"""(call, occurrence) to rows; raises Refusal."""

_FIXED = frozenset(
    "row_id message_id source type timestamp received_at proven mapping subscription captured_file "
    "captured_index line_index line_count line_revenue".split()
)


class _Compiled(NamedTuple):
    matches: Callable[[Json], bool]
    table: str
    perform: Perform


class Destination:
    """The compiled document. ``rows`` is called once per event."""

    def __init__(self, document: Json, settings: LakeSettings) -> None:
        """
        Raises:
            MappingError: every fault of the document, each with its path.
        """
        subscriptions, faults = read_document(document)
        self._settings = settings
        self._builders: dict[str, EventRows | DeletionRows | PeopleRows] = {
            "events": EventRows(settings.table("events"), settings),
            "deletions": DeletionRows(settings.table("deletions"), settings),
            **{
                name: PeopleRows(settings.table(name), settings) for name in ("profiles", "groups", "aliases")
            },
        }
        self._compiled = [made for item in subscriptions if (made := self._compile(item, faults)) is not None]
        raise_faults(faults)

    def rows(self, call: Call) -> list[Row] | None:
        """All rows of one event; None when no subscription matches it.

        Raises:
            Refusal: a subscription refused it, so none of its rows is written.
        """
        rows: list[Row] | None = None
        occurrences: dict[str, int] = {}
        for matches, table, perform in self._compiled:
            if matches(call.event):
                occurrence = occurrences.get(table, 0)
                occurrences[table] = occurrence + 1
                made = perform(call, occurrence)
                rows = made if rows is None else [*rows, *made]
        return rows

    def _compile(self, item: Subscription, faults: list[Fault]) -> _Compiled | None:
        before = len(faults)
        fields = {field.key: field for field in item.action.fields}
        compiled: dict[str, Callable[[Json], Json]] = {}
        for key, field in fields.items():
            wanted = item.mapping.get(key, field.default)
            if wanted is not None:
                compiled[key] = _field(key, wanted, f"{item.path}/mapping", faults)
        try:
            matches = compile_subscription(item.subscribe)
        except MappingError as error:
            faults.extend(Fault(f"{item.path}/subscribe", str(fault)) for fault in error.faults)
        table = self._settings.table(item.action.table)
        columns = item.mapping.get("columns")
        if columns is not None:
            _check_columns(columns, table, f"{item.path}/mapping/columns", faults)
        if len(faults) > before:
            return None
        return _Compiled(matches, table.name, self._perform(item, table, fields, compiled))

    def _perform(
        self,
        item: Subscription,
        table: Table,
        fields: Mapping[str, Field],
        compiled: Mapping[str, Callable[[Json], Json]],
    ) -> Perform:
        event_of, columns_of = compiled["event"], compiled.get("columns")
        builder = self._builders[table.name]
        whole = item.mapping.get("event", fields["event"].default) == fields["event"].default
        per_product = compiled.get("generatePurchaseEventPerProduct")
        path = f"mapping of {item.name!r}"

        def perform(call: Call, occurrence: int) -> list[Row]:
            event = call.event if whole else _object(_resolve(event_of, call.event, path), path)
            override = None
            if columns_of is not None:
                override = _override(_resolve(columns_of, call.event, path), table)
            if per_product is not None:
                lines = _resolve(per_product, call.event, path)
                return cast(EventRows, builder).rows(
                    call, event, item.name, occurrence, override, with_lines=lines in (True, "true")
                )
            return builder.rows(call, event, item.name, occurrence, override)

        return perform


def _field(key: str, wanted: Json, path: str, faults: list[Fault]) -> Callable[[Json], Json]:
    """One field, compiled in its place: at the top of a mapping a plain value would mean something else."""
    try:
        mapping = compile_mapping({key: wanted})
    except MappingError as error:
        faults.extend(Fault(f"{path}{fault.path.rstrip('/')}", fault.text) for fault in error.faults)
        return lambda _: UNDEFINED
    return lambda event: mapping(event).get(key, UNDEFINED)


def _resolve(function: Callable[[Json], Json], event: Json, path: str) -> Json:
    try:
        return function(event)
    except MappingError as error:
        raise Refusal("mapping_failed", f"{path}: {error}") from None


def _object(value: Json, path: str) -> dict[str, Json]:
    if type(value) is not dict:
        raise Refusal("mapping_failed", f"{path}: event must be an object")
    return value


def _check_columns(columns: Json, table: Table, path: str, faults: list[Fault]) -> None:
    if not isinstance(columns, dict):
        faults.append(Fault(path, "should be an object"))
        return
    if any(key.startswith("@") for key in columns):
        faults.append(Fault(path, "should name columns, not be a directive"))
        return
    settable = [c.name for c in table.columns if c.code in PROMOTABLE and c.name not in _FIXED]
    for name in columns:
        if name not in settable:
            faults.append(Fault(f"{path}/{name}", f"is no column that can be set{nearest(name, settable)}"))


def _override(values: Json, table: Table) -> Overrides:
    def put(row: Columns, flags: list[Flag]) -> None:
        for name, value in values.items():
            if value is not UNDEFINED and not is_missing(value):
                typed = COERCERS[table.by_name[name].code](value, f"columns.{name}", flags)
                if typed is not None:
                    row[name] = typed

    return put


def compile_destination(
    document: Json, *, settings: LakeSettings | None = None
) -> Callable[[Json], list[dict[str, Json]]]:
    """A whole mapping document to one function.

    Args:
        document: what a mapping file holds, ``{"settings": {...}, "subscriptions": [{"name", "subscribe",
            "partnerAction", "mapping"}]}``.
        settings: what rows depend on beside the document; defaults run without any.

    Returns:
        Event to its rows in order, ``{"table": str, "row": {...}}`` with decimals as text and times as ISO
        milliseconds; ``[{"rejected": {"code", "message"}}]`` when it is refused; ``[]`` when no subscription
        matches. Rows hold neither ``captured_file`` nor ``captured_index``: those are added when writing.

    Raises:
        MappingError: every fault of the document, each with its path.
    """
    lake = settings or LakeSettings()
    destination = Destination(document, lake)

    def run(event: Json) -> list[dict[str, Json]]:
        try:
            rows = destination.rows(prepare(event, source="file"))
        except Refusal as refusal:
            return [{"rejected": {"code": refusal.code, "message": str(refusal)}}]
        return [
            {"table": row.table, "row": public_row(row.columns, lake.table(row.table))} for row in rows or ()
        ]

    return run
