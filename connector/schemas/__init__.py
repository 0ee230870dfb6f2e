"""The JSON Schema files of the ecommerce events, and how a user's own join them."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from connector.errors import ConfigError
from connector.events import Json

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def read_schemas(extra: Path | None = None) -> dict[str, Json]:
    """
    Return the shipped schema documents, keyed and sorted by file name (``order_completed.json``).

    Args:
        extra: a folder of the user's own ``*.json`` files. One with the name of a shipped file replaces it,
            the others are added.

    Raises:
        ConfigError: the folder or a file cannot be read, or files are not JSON (all of them are named).
    """
    documents, faults = _read(files(__name__))
    if extra is not None:
        own, own_faults = _read(extra)
        documents |= own
        faults += own_faults
    if faults:
        raise ConfigError("\n".join(faults))
    return dict(sorted(documents.items()))


def own_schemas(folder: Path) -> dict[str, Json]:
    """
    Return the documents of a user's folder alone, keyed and sorted by file name.

    Raises:
        ConfigError: as ``read_schemas``.
    """
    documents, faults = _read(folder)
    if faults:
        raise ConfigError("\n".join(faults))
    return documents


def _read(folder: Traversable) -> tuple[dict[str, Json], list[str]]:
    documents: dict[str, Json] = {}
    faults: list[str] = []
    try:
        for file in sorted(folder.iterdir(), key=lambda file: file.name):
            if file.name.endswith(".json"):
                _decode(file, documents, faults)
    except OSError as error:
        faults.append(f"{error.filename or folder.name}: {error.strerror}")
    return documents, faults


def _decode(file: Traversable, documents: dict[str, Json], faults: list[str]) -> None:
    try:
        documents[file.name] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        faults.append(f"{file.name}: not JSON: {error}")
