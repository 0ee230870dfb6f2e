"""The tables of the other calls: ``profiles``, ``groups``, ``aliases``, ``deletions``."""

from __future__ import annotations

from connector.tables.events_table import BOOKKEEPING, MESSAGE_ID, PEOPLE, ROW_ID, SOURCE, TIMES
from connector.tables.model import Column, Pii, Table, TypeCode, spelled

_ENVELOPE = Column("envelope", "J", "Top-level keys without a column", pii="mixed")
_CONTEXT = Column("context", "J", "`context`, whole", ("context",), pii="mixed")
_TRAITS = Column("traits", "J", "`traits` verbatim, nulls included", ("traits",), pii="mixed")
_GROUP_ID = Column("group_id", "S", "Account", ("groupId", "context.groupId"), pii="id")


def _kind(word: str) -> Column:
    return Column("type", "S", f"`{word}`", ("type", "action"), nullable=False)


def _trait(name: str, code: TypeCode = "S", meaning: str = "", pii: Pii = "",
           path: str | None = None) -> Column:  # fmt: skip
    if path is None:
        return Column(name, code, meaning, spelled("traits", name), pii=pii)
    parent, key = path.split(".")
    return Column(name, code, meaning, spelled(f"traits.{parent}", key), pii=pii)


def _people(word: str) -> tuple[Column, ...]:
    return (ROW_ID, MESSAGE_ID, SOURCE, _kind(word), *PEOPLE)


PROFILES = Table(
    "profiles",
    "One identify call: what was said about a person at that time, not the current person",
    (
        *_people("identify"),
        _GROUP_ID,
        *TIMES,
        _trait("email", pii="direct"),
        _trait("phone", pii="direct"),
        _trait("name", pii="direct"),
        _trait("first_name", pii="direct"),
        _trait("last_name", pii="direct"),
        _trait("username", pii="direct"),
        _trait("title", pii="direct"),
        _trait("gender", pii="direct"),
        _trait("birthday", pii="direct"),
        _trait("avatar", pii="direct"),
        _trait("company_id", pii="direct", path="company.id"),
        _trait("company_name", pii="direct", path="company.name"),
        _trait("address_street", pii="direct", path="address.street"),
        _trait("address_city", pii="direct", path="address.city"),
        _trait("address_state", pii="direct", path="address.state"),
        _trait("address_postal_code", pii="direct", path="address.postal_code"),
        _trait("address_country", pii="direct", path="address.country"),
        _trait("locale"),
        _trait("currency"),
        _trait("age", "I", "Years", "quasi"),
        _trait("created_at", "T", "When the account was made"),
        _trait("lifetime_value", "M", "As sent"),
        _trait("order_count", "L", "As sent"),
        _TRAITS,
        _CONTEXT,
        _ENVELOPE,
        *BOOKKEEPING,
    ),
    ("timestamp", "row_id"),
)

GROUPS = Table(
    "groups",
    "One group call",
    (
        *_people("group"),
        _GROUP_ID,
        *TIMES,
        _trait("name"),
        _trait("industry"),
        _trait("website"),
        _trait("plan"),
        _trait("email", pii="direct"),
        _trait("phone", pii="direct"),
        _trait("avatar"),
        _trait("employees", "L", "Number of employees"),
        _trait("created_at", "T", "When the account was made"),
        _TRAITS,
        _CONTEXT,
        _ENVELOPE,
        *BOOKKEEPING,
    ),
    ("timestamp", "row_id"),
)

ALIASES = Table(
    "aliases",
    "One alias call",
    (
        *_people("alias"),
        Column("previous_id", "S", "The id that becomes `user_id`", ("previousId",), pii="id"),
        *TIMES,
        _CONTEXT,
        _ENVELOPE,
        *BOOKKEEPING,
    ),
    ("timestamp", "row_id"),
)

DELETIONS = Table(
    "deletions",
    "One delete notice; holds a keyed hash, never the id in clear",
    (
        ROW_ID,
        MESSAGE_ID,
        SOURCE,
        _kind("delete"),
        Column("subject_kind", "S", "`user_id` or `anonymous_id`"),
        Column("subject_hash", "S", "Hex HMAC-SHA-256 of the id under the deployment's privacy key"),
        *TIMES,
        _ENVELOPE,
        *BOOKKEEPING,
    ),
    ("timestamp", "row_id"),
)
