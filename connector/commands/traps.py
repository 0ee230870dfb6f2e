"""Traps as a person reads them, judged by what the actions here need and keep."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connector.actions.fields import LAKE_ACTIONS
from connector.events import Json
from connector.mapping.lint import ActionFacts, lint_document
from connector.mixpanel.fields import MIXPANEL_ACTIONS
from connector.tables.events_table import PRODUCT_FIELDS
from connector.terminal import err


def action_facts() -> dict[str, ActionFacts]:
    """partnerAction to what its traps depend on, for every action that can run here."""
    product_keys = tuple(name for name, _ in PRODUCT_FIELDS)
    lake = {
        action.partner_action: ActionFacts(
            required=frozenset(field.key for field in action.fields if field.required),
            prefilled=True,
            makes_purchases=action.partner_action == "storePurchase",
            product_keys=product_keys if action.table == "events" else (),
        )
        for action in LAKE_ACTIONS
    }
    mixpanel = {
        name: ActionFacts(
            required=frozenset(field.key for field in action.fields if field.required),
            makes_purchases=name == "trackPurchase",
            product_keys=product_keys if name == "trackPurchase" else (),
        )
        for name, action in MIXPANEL_ACTIONS.items()
    }
    return {**lake, **mixpanel}


def print_traps(path: Path | str, document: Json, facts: Mapping[str, ActionFacts]) -> int:
    """Print every trap of a document, a line each; return how many there are."""
    traps = lint_document(document, facts)
    for trap in traps:
        err.print(f"! {path}: {trap}", markup=False)
    return len(traps)
