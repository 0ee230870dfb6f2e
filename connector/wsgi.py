"""What the HTTP server loads in each of its processes: the app over that process's own journal."""

from __future__ import annotations

import os
import signal
import threading
import time
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from connector.config import load_settings
from connector.wiring import make_app, make_journal

if TYPE_CHECKING:
    from flask import Flask

_PARENT_SECONDS = 1.0


def create() -> Flask:
    """Make the app from the environment. The journal file is closed when the process ends in order."""
    _end_with_parent()
    settings = load_settings()
    journal = make_journal(settings)
    Finalize(journal, journal.close, exitpriority=100)
    return make_app(settings, journal)


def _end_with_parent() -> None:
    """A receiver whose server process was killed finishes its requests and ends, as if asked to."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
