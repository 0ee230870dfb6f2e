"""What the HTTP server loads in each of its processes: the app over that process's own journal."""

from __future__ import annotations

from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from connector.config import load_settings
from connector.wiring import make_app, make_journal

if TYPE_CHECKING:
    from flask import Flask


def create() -> Flask:
    """Make the app from the environment. The journal file is closed when the process ends in order."""
    settings = load_settings()
    journal = make_journal(settings)
    Finalize(journal, journal.close, exitpriority=100)
    return make_app(settings, journal)
