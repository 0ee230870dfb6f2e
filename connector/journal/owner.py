"""Whose journal this is: the data folder it is written into, and the configuration it was received under.

Without it a slip (``drain`` without ``--config``, one journal for two lakes) would map acknowledged events
with the wrong settings, or into the wrong lake, for good.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from connector.errors import ConfigError

_NAME = ".owner"


class Owner(NamedTuple):
    data: str
    """Absolute path or ``s3://`` address of the data folder."""
    configuration: str
    """Fingerprint of what rows depend on, without any secret."""


def owner_of(journal: Path) -> Owner | None:
    """What the last ``serve`` noted; None when none has, or the note cannot be read."""
    try:
        noted = json.loads((journal / _NAME).read_bytes())
        return Owner(str(noted["data"]), str(noted["configuration"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def check_data(journal: Path, data: str) -> None:
    """
    Raises:
        ConfigError: the journal belongs to another data folder.
    """
    owner = owner_of(journal)
    if owner is not None and owner.data != data:
        raise ConfigError(
            f"journal: {journal} belongs to {owner.data}, not to {data}; give this one a journal of its own"
        )


def check_configuration(journal: Path, configuration: str) -> None:
    """
    Raises:
        ConfigError: what is in the journal was received under other settings.
    """
    owner = owner_of(journal)
    if owner is not None and owner.configuration != configuration:
        raise ConfigError(
            f"journal: {journal} was received under another configuration: give the same --config and "
            "--mapping as serve, or --force to write it under this one"
        )


def claim(journal: Path, owner: Owner) -> None:
    """Note the owner, whatever was noted before. Ask ``check_data`` first."""
    journal.mkdir(parents=True, exist_ok=True)
    temporary = journal / f"{_NAME}.{os.getpid()}"
    temporary.write_text(json.dumps(owner._asdict()) + "\n", encoding="utf-8")
    temporary.replace(journal / _NAME)
