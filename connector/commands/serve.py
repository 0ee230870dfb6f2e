"""``connector serve``: hold the data folder, check, then run the processes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from connector.config import Settings
from connector.journal.owner import Owner, check_data, claim
from connector.serve import check, check_store, log, serve
from connector.terminal import log_to_stderr
from connector.wiring import configure, data_folder, privacy_key


def run(settings: Settings, config: str | None, options: Mapping[str, Any]) -> int:
    """Run until told to stop; return the exit code.

    Raises:
        ConfigError: settings, mapping or schemas are wrong: nothing is started.
        Busy: another serve holds the data folder.
    """
    log_to_stderr()
    with data_folder(settings).serve():
        check_data(settings.journal_path, settings.data_address)
        configured = configure(settings, preview=True)
        if not settings.is_s3:
            privacy_key(settings)
        for note in (*check(settings), *check_store(settings)):
            log.warning(note)
        claim(settings.journal_path, Owner(settings.data_address, configured.stated))
        return serve(settings, _environment(config, options))


def _environment(config: str | None, options: Mapping[str, Any]) -> dict[str, str]:
    """What the processes of the service read the same settings from."""
    environment = dict(os.environ)
    if config:
        environment["CONNECTOR_CONFIG"] = config
    for key, value in options.items():
        if value is not None:
            environment[f"CONNECTOR_{key.upper()}"] = str(value)
    return environment
