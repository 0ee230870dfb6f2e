"""Settings to the receiver: the journal of one process and the app over it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from connector.config import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from connector.receive.journal_port import Journal
    from connector.receive.metrics import Metrics
    from connector.receive.sources import Sources


def make_journal(settings: Settings) -> Journal:
    """The journal of one receiver process. Made after the server has forked."""
    from connector.journal.limits import JournalLimits
    from connector.journal.writer import JournalWriter

    limits = JournalLimits(
        roll_bytes=settings.roll_bytes,
        roll_seconds=settings.roll_seconds,
        journal_reserve_bytes=settings.journal_reserve_bytes,
        journal_max_bytes=settings.journal_max_bytes,
        alone_bytes=settings.spool_bytes,
        public_share=settings.public_share,
    )
    return JournalWriter(settings.journal_path, limits)


def known_sources(settings: Settings) -> Sources:
    """Who may send, with their keys as they are set now.

    Raises:
        ConfigError: two sources have the same write key.
    """
    from connector.receive.sources import Sources

    keys = (settings.source_keys(name) for name in settings.sources)
    return Sources(filter(None, keys)) if settings.sources else Sources.development()


def make_app(settings: Settings, journal: Journal, metrics: Metrics | None = None) -> Flask:
    """
    The receiver over a journal.

    Args:
        metrics: counters that outlive the app; None: new ones.

    Raises:
        ConfigError: two sources have the same write key.
    """
    from connector.receive.bodies import Limits
    from connector.receive.http import create_app
    from connector.receive.metrics import Metrics

    limits = Limits(
        max_body_bytes=settings.max_body_bytes,
        spool_bytes=settings.spool_bytes,
        max_in_flight_bytes=settings.max_in_flight_bytes,
        public_body_bytes=settings.public_body_bytes,
        spool_folder=_spool_folder(settings),
    )
    return create_app(
        journal,
        known_sources(settings),
        limits=limits,
        metrics=metrics or Metrics(),
        clock_ms=lambda: time.time_ns() // 1_000_000,
        threads=settings.threads,
        public_url=settings.public_url,
    )


def _spool_folder(settings: Settings) -> Path | None:
    """On the journal's disk, whose room is known. Where the journal is on AWS, the system's temporary folder:
    no other can be written to there."""
    if settings.aws.delivery_stream:
        return None
    spool = settings.journal_path / "spool"
    spool.mkdir(parents=True, exist_ok=True)
    return spool
