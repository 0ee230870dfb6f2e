"""The receiver without its promise: the same app over a journal that keeps nothing. For comparison only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.config import load_settings
from connector.events import Capture
from connector.wiring import make_app

if TYPE_CHECKING:
    from flask import Flask


class NullJournal:
    """Acknowledges at once and forgets."""

    def append(self, capture: Capture) -> None:
        """Keep nothing."""

    def keep_refused(self, capture: Capture) -> bool:
        return True

    def not_ready(self) -> str | None:
        return None

    def close(self) -> None:
        """Nothing is held."""


def create() -> Flask:
    """What the HTTP server loads in place of ``connector.wsgi:create``."""
    return make_app(load_settings(), NullJournal())
