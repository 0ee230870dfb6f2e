"""
Settings to ready parts. Real parts are chosen here and nowhere else; only entry points import this.

Each part is loaded when it is first asked for: a receiver needs nothing of what makes rows.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connector.wiring.receiver import known_sources, make_app, make_journal
    from connector.wiring.rows import (
        FIRST_ATTEMPT,
        Configured,
        DryRun,
        LocalStaging,
        change_rows,
        configure,
        dry_run,
        read_document,
        shipped_mapping,
    )
    from connector.wiring.storage import (
        data_folder,
        existing_data,
        journal_folders,
        make_changes,
        make_compactor,
        make_preparer,
        make_publisher,
        object_store,
        open_data,
        privacy_key,
        rules_of,
        s3_config,
        saved_files,
    )

__all__ = [
    "FIRST_ATTEMPT", "Configured", "DryRun", "LocalStaging", "change_rows", "configure", "data_folder",
    "dry_run", "existing_data", "journal_folders", "known_sources", "make_app", "make_changes",
    "make_compactor", "make_journal", "make_preparer", "make_publisher", "object_store", "open_data",
    "privacy_key", "read_document", "rules_of", "s3_config", "saved_files", "shipped_mapping",
]  # fmt: skip

_RECEIVER = ("known_sources", "make_app", "make_journal")
_ROWS = (
    "FIRST_ATTEMPT", "Configured", "DryRun", "LocalStaging", "change_rows", "configure", "dry_run",
    "read_document", "shipped_mapping",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    part = "receiver" if name in _RECEIVER else "rows" if name in _ROWS else "storage"
    found = getattr(import_module(f"{__name__}.{part}"), name)
    globals()[name] = found
    return found
