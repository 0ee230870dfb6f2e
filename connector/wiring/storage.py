"""Settings to the places where data lies: this machine's folders, or a bucket."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from connector.config import Settings, secret
from connector.errors import ConfigError, ConnectorError, LedgerError, StoreError
from connector.s3.config import S3Config, S3Place

if TYPE_CHECKING:
    from connector.compaction import Compactor, Rules
    from connector.journal.folders import JournalFolders
    from connector.prepared import Preparer
    from connector.s3.store import S3Store
    from connector.saved.files import Files
    from connector.write.data import DataReader
    from connector.write.folder import DataFolder
    from connector.write.object_publish import ObjectPublisher
    from connector.write.publish import Publisher

PutOff = Callable[[str, ConnectorError], None]

_PRIVACY_KEY = "privacy.key"
_KEY_BYTES = 32
"""Of a key that is made, and the least that a key file must have."""


def privacy_key(settings: Settings) -> bytes:
    """The configured key, else the one in ``<data>/privacy.key``, made there (0600) the first time.

    Raises:
        ConfigError: a key is configured but not set; or the key of a data folder that is written to is gone,
            or damaged: under another one nobody would find who was forgotten before.
    """
    if settings.privacy_key is not None:
        key = secret(settings.privacy_key)
        if key is None:
            raise ConfigError(f"privacy_key: {settings.privacy_key} is not set")
        return key
    return (_key_in_store if settings.is_s3 else _key_on_disk)(settings)


def _key_on_disk(settings: Settings) -> bytes:
    from connector.write.ledger import changes_folder

    path = settings.data_path / _PRIVACY_KEY
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        if any(changes_folder(settings.data_path).glob("*.json")) and not path.exists():
            raise _key_is_gone(settings)
        _make_key(path)
    return _checked_key(path.read_bytes(), settings)


def _make_key(path: Path) -> None:
    temporary = path.with_name(f".privacy.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(_KEY_BYTES).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _key_in_store(settings: Settings) -> bytes:
    """One object for all writers of the data folder; whoever creates it first decides."""
    from connector.write.object_ledger import CHANGES, FILES

    store = object_store(settings)
    key = store.read(_PRIVACY_KEY)
    if key is None:
        if not (store.holds(FILES) or store.holds(CHANGES)):
            store.create(_PRIVACY_KEY, secrets.token_hex(_KEY_BYTES).encode())
        key = store.read(_PRIVACY_KEY)
    if key is None:
        raise _key_is_gone(settings)
    return _checked_key(key, settings)


def _key_is_gone(settings: Settings) -> ConfigError:
    return ConfigError(
        f"{settings.data}: its {_PRIVACY_KEY} is gone although events are written; put the file back, or set "
        "privacy_key to the key that was in it"
    )


def _checked_key(content: bytes, settings: Settings) -> bytes:
    key = content.strip()
    if len(key) < _KEY_BYTES:
        raise ConfigError(
            f"{settings.data}: its {_PRIVACY_KEY} has {len(key)} bytes, less than {_KEY_BYTES}; put the "
            "whole file back, or remove it if nothing is written yet"
        )
    return key


def object_store(settings: Settings) -> S3Store:
    """The store below ``s3://bucket/prefix``; nothing is sent yet."""
    from connector.s3.store import open_store

    return open_store(S3Place.of(settings.data), s3_config(settings))


def s3_config(settings: Settings) -> S3Config:
    return S3Config(**settings.s3.model_dump())


def open_data(settings: Settings) -> DataReader:
    """The data folder as readers see it: ledger, names, contents."""
    from connector.write.data import FolderData, StoreData

    return StoreData(object_store(settings)) if settings.is_s3 else FolderData(settings.data_path)


def existing_data(settings: Settings) -> DataReader:
    """As ``open_data``. Raises ``ConfigError``: there is no such data folder."""
    data = open_data(settings)
    if not data.exists():
        raise ConfigError(f"{settings.data}: no such data folder; connector serve or replay makes it")
    return data


def saved_files(settings: Settings) -> Files:
    """Where reports, annotations and cohorts are saved: beside the data."""
    from connector.saved.files import FolderFiles

    return object_store(settings) if settings.is_s3 else FolderFiles(settings.data_path)


def data_folder(settings: Settings) -> DataFolder:
    """Where this machine stages files and holds its locks: the data folder itself unless that is in S3."""
    from connector.write.folder import DataFolder

    return DataFolder(settings.local_path)


def make_publisher(
    settings: Settings,
    folder: DataFolder,
    *,
    due: Callable[[str], bool],
    put_off: PutOff,
    wait_seconds: float = 60.0,
) -> Publisher | ObjectPublisher:
    """The way into the tables; a committed journal file is retired at once.

    Args:
        due: whether a journal file that waits is to be looked at now.
        put_off: told of a journal file that has a record and cannot be retired, and why.
        wait_seconds: how long to wait for the lock of a folder of this machine.

    Raises:
        StoreError: the store cannot be reached, refuses, or does not keep what the ledger rests on.
    """
    journal = journal_folders(settings)
    publisher: Publisher | ObjectPublisher

    def retire(captured_file: str) -> None:
        try:
            _retire(journal, captured_file, publisher.recorded_sha256(captured_file))
        except StoreError:
            raise
        except ConnectorError as trouble:
            put_off(captured_file, trouble)

    def unretired() -> list[str]:
        return [name for name in journal.waiting() if due(name)]

    if settings.is_s3:
        from connector.s3.probe import probe
        from connector.write.object_publish import ObjectPublisher

        store = object_store(settings)
        probe(store)
        publisher = ObjectPublisher(folder, store, retire=retire, unretired=unretired, put_off=put_off)
    else:
        from connector.write.publish import Publisher

        publisher = Publisher(folder, retire=retire, unretired=unretired, wait_seconds=wait_seconds)
    return publisher


def make_changes(settings: Settings, *, wait_seconds: float = 60.0) -> Publisher | ObjectPublisher:
    """The way to change what is live; it retires nothing of the journal. What a dead process left undone is
    finished first.

    Raises ``StoreError`` as ``make_publisher``; ``Busy``, ``LedgerError``.
    """
    changes = _changes(settings, wait_seconds)
    changes.recover()
    return changes


def _changes(settings: Settings, wait_seconds: float) -> Publisher | ObjectPublisher:
    folder = data_folder(settings)
    if settings.is_s3:
        from connector.s3.probe import probe
        from connector.write.object_publish import ObjectPublisher

        store = object_store(settings)
        probe(store)
        return ObjectPublisher(folder, store)
    from connector.write.publish import Publisher

    return Publisher(folder, wait_seconds=wait_seconds)


def make_compactor(settings: Settings, changes: Publisher | ObjectPublisher) -> Compactor:
    from connector.compaction import Compactor

    return Compactor(open_data(settings), data_folder(settings), changes)


def make_preparer(settings: Settings) -> Preparer:
    """What keeps duplicates and identities resolved."""
    from connector.prepared import Preparer

    return Preparer(open_data(settings), data_folder(settings))


def rules_of(settings: Settings, rules: Rules) -> Rules:
    """The same rules with the size that is configured."""
    return replace(rules, target_bytes=settings.compact_target_bytes)


def _retire(journal: JournalFolders, captured_file: str, recorded_sha256: str | None) -> None:
    """Only the very bytes that the record speaks of: a record of a copy taken too early covers less."""
    from connector.journal.reader import identify

    path = journal.closed / captured_file
    if recorded_sha256 is None or not path.exists():
        return
    if identify(path, of_journal=True).sha256 != recorded_sha256:
        raise LedgerError("the ledger has other bytes under its name")
    journal.retire(captured_file)


def journal_folders(settings: Settings) -> JournalFolders:
    from connector.journal.folders import JournalFolders

    return JournalFolders(settings.journal_path)
