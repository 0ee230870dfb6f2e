"""Cohorts as tests define them and ask for their delivery."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from connector.cohorts.definition import Definition, definition_of
from connector.cohorts.send import Prepared, Wish
from tests.report.cohort_receivers import NOW


def defined(**parts: Any) -> Definition:
    return definition_of({"name": "Test", **parts}, "test")


def wish(people: Collection[str], *, days: float = 0, full: bool = False, **more: Any) -> Wish:
    return Wish(lambda: list(people), NOW + timedelta(days=days), full, **more)


def quiet(_: Prepared) -> None:
    """Nobody listens."""
