"""Whether a journal may be written under these settings: for good, so a slip must not pass."""

from __future__ import annotations

from contextlib import suppress

from connector.config import Settings
from connector.errors import Busy, ConfigError
from connector.journal.owner import check_configuration, check_data
from connector.wiring import configure, data_folder


def check_before_drain(settings: Settings, *, force: bool) -> None:
    """
    Ask before ``drain`` writes; beside a running ``serve`` that one writes, under its own settings.

    Args:
        force: the settings may differ from those that ``serve`` ran under; the data folder may not.

    Raises:
        ConfigError: there is no journal, it belongs to another data folder, or it was received under other
            settings.
    """
    journal = settings.journal_path
    if not journal.is_dir():
        raise ConfigError(f"{journal}: no such journal, so there is nothing to write")
    check_data(journal, settings.data_address)
    if force:
        return
    with suppress(Busy), data_folder(settings).serve():
        check_configuration(journal, configure(settings, preview=True).fingerprint)
