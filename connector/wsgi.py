"""What the HTTP server loads in each of its processes: the app over that process's own journal."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from contextlib import suppress
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from connector.config import load_settings
from connector.terminal import log_to_stderr
from connector.wiring import make_app, make_journal

if TYPE_CHECKING:
    from flask import Flask

_PARENT_SECONDS = 1.0
_MOST_OPEN_FILES = 65_536


def create() -> Flask:
    """Make the app from the environment. The journal file is closed when the process ends in order."""
    log_to_stderr()
    _end_with_parent()
    raise_file_limit()
    settings = load_settings()
    journal = make_journal(settings)
    Finalize(journal, journal.close, exitpriority=100)
    return make_app(settings, journal)


def raise_file_limit() -> None:
    """Let connections have the descriptors that the system allows: many shells begin with 1,024, and a crowd
    of idle connections must leave some to the journal."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _end_with_parent() -> None:
    """A receiver whose server process was killed finishes its requests and ends, as if asked to."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
