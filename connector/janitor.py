"""The janitor process of ``connector serve``: small files become large ones, and copies go, by themselves."""

from __future__ import annotations

import contextlib
import os

from prometheus_client import REGISTRY, CollectorRegistry, Counter

from connector.background import run_rounds
from connector.compaction import Compacted
from connector.config import Settings, load_settings
from connector.rounds.passes import Passes
from connector.terminal import log_to_stderr

_NICENESS = 10


def run(settings: Settings) -> None:
    """Compact until SIGTERM, or until the process that started this one is gone."""
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    run_rounds(Passes(settings, Figures()).next)


class Figures:
    """What the janitor adds to ``/metrics``."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._files = Counter("connector_compacted_files", "Table files merged.", registry=registry)
        self._duplicates = Counter(
            "connector_compacted_duplicates",
            "Events found to be duplicates by compaction.",
            registry=registry,
        )

    def count(self, done: Compacted) -> None:
        self._files.inc(done.files_before)
        self._duplicates.inc(done.duplicates)

    def failed(self) -> None:
        """The log says it."""


if __name__ == "__main__":
    log_to_stderr()
    run(load_settings())
