"""People on a page: told apart, not named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.report.answer import Answer


def short(uid: str) -> str:
    """``cus_7d356d0cf3326a`` -> ``cus_7d…26a``: enough to tell people apart, not to find them."""
    kept = uid.removeprefix("$device:")
    return kept if len(kept) < 10 else f"{kept[:6]}…{kept[-3:]}"


def with_short_ids(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose ``uid``, if it has one, is shortened."""
    return {name: short(value) if name == "uid" and value else value for name, value in row.items()}


def document_of(answer: Answer) -> dict[str, Any]:
    """The JSON of an answer and its parts, in which nobody's id is whole."""
    return _shortened(answer.document())


def _shortened(document: dict[str, Any]) -> dict[str, Any]:
    rows = [with_short_ids(row) for row in document["rows"]]
    shortened = {**document, "rows": rows}
    if "parts" in document:
        shortened["parts"] = {name: _shortened(part) for name, part in document["parts"].items()}
    return shortened
