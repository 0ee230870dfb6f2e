"""The lake's data model, declared once: Arrow schema and documentation come from here."""

from connector.tables.events_table import EVENTS, PRODUCT_FIELDS, SPEC_PROPERTIES, STRUCT_FIELDS
from connector.tables.model import TYPES, Column, Table, TypeCode
from connector.tables.others import ALIASES, DELETIONS, GROUPS, PROFILES
from connector.tables.vocabulary import FLAGS, REJECTED_REASONS

TABLES: tuple[Table, ...] = (EVENTS, PROFILES, GROUPS, ALIASES, DELETIONS)

__all__ = [
    "ALIASES",
    "DELETIONS",
    "EVENTS",
    "FLAGS",
    "GROUPS",
    "PRODUCT_FIELDS",
    "PROFILES",
    "REJECTED_REASONS",
    "SPEC_PROPERTIES",
    "STRUCT_FIELDS",
    "TABLES",
    "TYPES",
    "Column",
    "Table",
    "TypeCode",
]
