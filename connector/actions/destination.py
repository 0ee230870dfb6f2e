"""A mapping document compiled to one function: call in, rows out. Every fault is found at start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, cast

from connector.actions.call import NO_RULES, Call, Columns, LakeSettings, Refusal, SourceRules
from connector.actions.document import Subscription, holds_mixpanel, nearest, raise_faults, read_document
from connector.actions.fields import Field
from connector.actions.outgoing import OutgoingDestination
from connector.actions.prepare import prepare
from connector.actions.reading import Put, is_missing, putter
from connector.actions.store_event import EventRows, Overrides
from connector.actions.store_people import DeletionRows, PeopleRows
from connector.errors import Fault, MappingError
from connector.events import Flag, Json, Row
from connector.mapping import UNDEFINED, Matching, compile_mapping, compile_subscription
from connector.tables.model import PROMOTABLE, Table
from connector.values.names import name_reader
from connector.values.public import public_row

Perform = Callable[[Call, int], list[Row]]
"""(call, occurrence) to rows; raises Refusal."""

_FIXED = frozenset(
    "row_id message_id source type timestamp received_at proven mapping subscription captured_file "
    "captured_index line_index line_count line_revenue subject_kind subject_hash".split()
)


_BOOLEANS = (True, False, "true", "false")


class _Compiled(NamedTuple):
    matches: Callable[[Json], bool]
    table: str
    perform: Perform


class Destination:
    """The document, compiled for sources of the same rules. ``rows`` is called once per event."""

    def __init__(self, document: Json, settings: LakeSettings, rules: SourceRules = NO_RULES) -> None:
        """
        Args:
            rules: how events of these sources are read.

        Raises:
            MappingError: every fault of the document, each with its path.
        """
        subscriptions, faults = read_document(document)
        self.names = name_reader(rules.event_aliases)
        """Event name as received to the name it counts as."""
        self._settings = settings
        self._rules = rules
        self._builders: dict[str, EventRows | DeletionRows | PeopleRows] = {
            "events": EventRows(settings.table("events"), settings, rules),
            "deletions": DeletionRows(settings.table("deletions"), settings),
            **{
                name: PeopleRows(settings.table(name), settings, rules)
                for name in ("profiles", "groups", "aliases")
            },
        }
        compiled = [(item.subscribe, self._compile(item, faults)) for item in subscriptions]
        raise_faults(faults)
        self._matching = Matching((query, made.matches, made) for query, made in compiled if made is not None)

    def rows(self, call: Call) -> list[Row] | None:
        """All rows of one event; None when no subscription matches it.

        Raises:
            Refusal: a subscription refused it, so none of its rows is written.
        """
        matched = self._matching.of(call.event)
        if not matched:
            return None
        if len(matched) == 1:
            return matched[0].perform(call, 0)
        rows: list[Row] = []
        occurrences: dict[str, int] = {}
        for _, table, perform in matched:
            occurrence = occurrences.get(table, 0)
            occurrences[table] = occurrence + 1
            rows.extend(perform(call, occurrence))
        return rows

    def _compile(self, item: Subscription, faults: list[Fault]) -> _Compiled | None:
        before = len(faults)
        fields = {field.key: field for field in item.action.fields}
        compiled: dict[str, Callable[[Json], Json]] = {}
        for key, field in fields.items():
            wanted = _wanted(item.mapping, field)
            if wanted is None:
                continue
            compiled[key] = _field(key, wanted, f"{item.path}/mapping", faults)
            if field.type == "boolean" and wanted not in _BOOLEANS and not isinstance(wanted, dict):
                faults.append(Fault(f"{item.path}/mapping/{key}", "should be true, false or a directive"))
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
        whole = _wanted(item.mapping, fields["event"]) == fields["event"].default
        per_product = compiled.get("generatePurchaseEventPerProduct")
        path = f"mapping of {item.name!r}"
        named = item.mapping.get("columns") or ()
        putters = {name: putter(table.by_name[name], self._rules) for name in named if name in table.by_name}

        def perform(call: Call, occurrence: int) -> list[Row]:
            event = call.event if whole else _object(_resolve(event_of, call.event, path), path)
            override = None
            if columns_of is not None:
                override = _override(_resolve(columns_of, call.event, path), putters)
            if per_product is not None:
                lines = _resolve(per_product, call.event, path)
                return cast(EventRows, builder).rows(
                    call, event, item.name, occurrence, override, with_lines=lines in (True, "true")
                )
            return builder.rows(call, event, item.name, occurrence, override)

        return perform


class Destinations:
    """A document compiled once for each set of rules that sources have."""

    def __init__(self, document: Json, settings: LakeSettings) -> None:
        """
        Raises:
            MappingError: every fault of the document, each with its path.
        """
        compiled = [(NO_RULES, Destination(document, settings))]
        self._others = compiled[0][1]
        self._by_source: dict[str, Destination] = {}
        for source, rules in settings.sources.items():
            made = next((destination for known, destination in compiled if known == rules), None)
            if made is None:
                made = Destination(document, settings, rules)
                compiled.append((rules, made))
            self._by_source[source] = made

    def of(self, source: str) -> Destination:
        """The one for events of this source."""
        return self._by_source.get(source, self._others)


def _wanted(mapping: Mapping[str, Json], field: Field) -> Json:
    """What the mapping says of a field; nothing or null: its default."""
    said = mapping.get(field.key)
    return field.default if said is None else said


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


def _override(values: Json, putters: Mapping[str, Put]) -> Overrides:
    def put(row: Columns, flags: list[Flag]) -> None:
        for name, value in values.items():
            if value is not UNDEFINED and not is_missing(value):
                putters[name](row, value, f"columns.{name}", flags)

    return put


def compile_destination(
    document: Json, *, settings: LakeSettings | None = None
) -> Callable[[Json], list[dict[str, Json]]]:
    """A whole mapping document to one function.

    Args:
        document: what a mapping file holds, ``{"settings": {...}, "subscriptions": [{"name", "subscribe",
            "partnerAction", "mapping"}]}``, with the lake's actions or with Mixpanel's.
        settings: what the lake's rows depend on beside the document; defaults run without any.

    Returns:
        Event to its rows in order, ``{"table": str, "row": {...}}``; ``[{"rejected": {"code", "message"}}]``
        when it is refused; ``[]`` when no subscription matches. Rows of the lake have decimals as text and
        times as ISO milliseconds, and neither ``captured_file`` nor ``captured_index``: those are added when
        writing. Mixpanel's are the records of ``import``, ``engage``, ``groups`` and ``track``.

    Raises:
        MappingError: every fault of the document, each with its path.
    """
    if holds_mixpanel(document):
        return _records_of(OutgoingDestination(document))
    lake = settings or LakeSettings()
    destination = Destination(document, lake, lake.rules("file"))

    def run(event: Json) -> list[dict[str, Json]]:
        try:
            rows = destination.rows(prepare(event, source="file", names=destination.names))
        except Refusal as refusal:
            return [{"rejected": {"code": refusal.code, "message": str(refusal)}}]
        return [
            {"table": row.table, "row": public_row(row.columns, lake.table(row.table))} for row in rows or ()
        ]

    return run


def _records_of(destination: OutgoingDestination) -> Callable[[Json], list[dict[str, Json]]]:
    def run(event: Json) -> list[dict[str, Json]]:
        try:
            records = destination.rows(event)
        except Refusal as refusal:
            return [{"rejected": {"code": refusal.code, "message": str(refusal)}}]
        return [record._asdict() for record in records or ()]

    return run
