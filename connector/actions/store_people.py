"""Rows of ``profiles``, ``groups``, ``aliases`` and ``deletions``."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from hmac import new as hmac_new

from connector.actions.call import NO_RULES, Call, Columns, LakeSettings, Refusal, SourceRules
from connector.actions.common import (
    SHARED_KEYS,
    bookkeeping,
    finish,
    keep_unread,
    note_identity,
    put_distinct,
    put_json,
    put_people,
    put_text,
    put_times,
)
from connector.actions.reading import coercers, is_missing, look_up, read_paths
from connector.events import Flag, Json, Row
from connector.tables import TABLES
from connector.tables.model import Table
from connector.values.coerce import text
from connector.values.ids import row_id

Overrides = Callable[[Columns, list[Flag]], None]
_OWN = {table.name: table.by_name.keys() for table in TABLES}


class PeopleRows:
    """Builds the row of one table from identify, group and alias calls. Made once per configuration."""

    def __init__(self, table: Table, settings: LakeSettings, rules: SourceRules = NO_RULES) -> None:
        self._table = table
        self._settings = settings
        self._coercers = coercers(rules)
        self._named = table.by_name.keys()
        self._unread = tuple(
            key
            for key, column in (("event", None), ("channel", None), ("groupId", "group_id"))
            if column not in self._named
        )
        self._read = tuple(
            column
            for column in table.columns
            if column.name not in _OWN[table.name]
            or any(path.startswith("traits.") for path in column.sources)
        )

    def rows(
        self,
        call: Call,
        event: dict[str, Json],
        subscription: str,
        occurrence: int,
        override: Overrides | None = None,
    ) -> list[Row]:
        """One row.

        Raises:
            Refusal: an alias without both ids (``identity_missing``).
        """
        table = self._table.name
        flags = list(call.flags)
        rest = {key: value for key, value in event.items() if key not in SHARED_KEYS and key != "traits"}
        row = bookkeeping(call, table, subscription, row_id(table, occurrence, None, call.key))
        note_identity(call, event, flags, rest)
        put_people(event, row, flags, rest)
        if "group_id" in self._named:
            put_text(event, "groupId", "group_id", row, flags, rest)
            if "group_id" not in row and not is_missing(other := look_up(event, "context.groupId")):
                row["group_id"] = text(other, "context.groupId", flags)
        if table == "aliases":
            self._put_alias(event, row, flags, rest)
        put_times(call, event, self._settings, row, flags, rest)
        self._put_traits(event, row, flags, rest)
        keep_unread(event, self._unread, rest)
        read_paths(self._read, event, row, flags, self._coercers)
        if override is not None:
            override(row, flags)
        put_distinct(row, flags)
        put_json(row, "envelope", rest)
        return [Row(table, finish(row, call, flags))]

    def _put_alias(
        self, event: dict[str, Json], row: Columns, flags: list[Flag], rest: dict[str, Json]
    ) -> None:
        rest.pop("previousId", None)
        put_text(event, "previousId", "previous_id", row, flags, rest)
        if "user_id" not in row or "previous_id" not in row:
            raise Refusal("identity_missing", "an alias call needs userId and previousId")

    def _put_traits(
        self, event: dict[str, Json], row: Columns, flags: list[Flag], rest: dict[str, Json]
    ) -> None:
        for key in ("traits", "context", "properties"):
            value = event.get(key)
            if key in self._named:
                put_json(row, key, value)
            if type(value) is dict:
                if value and key not in self._named:
                    rest[key] = value
            elif not is_missing(value) and value != []:
                if key == "context":
                    flags.append(Flag("context_not_object", key))
                rest[key] = value


class DeletionRows:
    """Builds the row of ``deletions``: a keyed hash of the id, never the id."""

    def __init__(self, table: Table, settings: LakeSettings) -> None:
        self._settings = settings

    def rows(
        self,
        call: Call,
        event: dict[str, Json],
        subscription: str,
        occurrence: int,
        override: Overrides | None = None,
    ) -> list[Row]:
        """One row.

        Raises:
            Refusal: no proof covers the notice (``delete_unproven``), or it names nobody
                (``identity_missing``).
        """
        if call.proven == "none":
            raise Refusal("delete_unproven", "no signature, key or header covers this delete notice")
        kind, subject = _subject(event)
        flags = list(call.flags)
        rest = {key: value for key, value in event.items() if key in _NAMES_NOBODY}
        row = bookkeeping(call, "deletions", subscription, row_id("deletions", occurrence, None, call.key))
        note_identity(call, event, flags, rest)
        row["subject_kind"] = kind
        if self._settings.privacy_key is not None:
            row["subject_hash"] = subject_hash(self._settings.privacy_key, kind, subject)
        put_times(call, event, self._settings, row, flags, rest)
        keep_unread(event, ("event", "channel"), rest)
        if override is not None:
            override(row, flags)
        put_json(row, "envelope", rest)
        return [Row("deletions", finish(row, call, flags))]


_NAMES_NOBODY = frozenset(("version", "projectId", "integrations", "_metadata"))
"""The only top-level keys of a notice that its envelope keeps: another could hold the id in clear."""


def _subject(event: dict[str, Json]) -> tuple[str, str]:
    for key, kind in (("userId", "user_id"), ("anonymousId", "anonymous_id")):
        value = event.get(key)
        if not is_missing(value) and (subject := text(value, key, [])):
            return kind, subject
    raise Refusal("identity_missing", "a delete notice needs userId or anonymousId")


def subject_hash(key: bytes, kind: str, subject: str) -> str:
    """Hex HMAC-SHA-256 of ``<kind>:<id>`` under the deployment's privacy key."""
    message = f"{kind}:{subject}".encode("utf-8", "surrogatepass")
    return hmac_new(key, message, sha256).hexdigest()
