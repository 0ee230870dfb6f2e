"""The views of people: the reports' own, over the views without copies. Pure."""

from __future__ import annotations

from sqlglot import exp

from connector.report.compose import Composition, expression
from connector.report.people import people_view

_GIVEN = ("events", "profiles", "aliases", "identities")


def identities() -> exp.Expr:
    """One row per device that belongs to a user: ``anonymous_id, user_id, linked_at_ms, row_id``."""
    return _over_views().query("identity_rows")


def people() -> exp.Expr:
    """One row per person: ``uid``, ``user_id``, when first and last seen, rows, the usual traits."""
    composition = _over_views()
    people_view(composition)
    return composition.query("people")


def _over_views() -> Composition:
    """Views of reports for all sources and all times, where duplicates and identities are views already."""
    composition = Composition({"as_of_ms": None, "source": None}, _GIVEN)
    for name in _GIVEN[:3]:
        composition.define(f"unique_{name}", expression(f"SELECT * FROM {name}"))
    composition.define("identity_rows", "identities")
    return composition
