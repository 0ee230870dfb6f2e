"""Settings to the places where data lies: this machine's folders, or a bucket."""

from __future__ import annotations

import logging
import os
import secrets
from typing import TYPE_CHECKING

from connector.config import Settings, secret
from connector.errors import ConfigError
from connector.s3.config import S3Config, S3Place

if TYPE_CHECKING:
    from connector.journal.folders import JournalFolders
    from connector.s3.store import S3Store
    from connector.write.data import DataReader
    from connector.write.entries import Record
    from connector.write.folder import DataFolder
    from connector.write.object_publish import ObjectPublisher
    from connector.write.publish import Publisher

log = logging.getLogger("connector.writer")

_PRIVACY_KEY = "privacy.key"


def privacy_key(settings: Settings) -> bytes:
    """The configured key, else the one in ``<data>/privacy.key``, made there (0600) the first time.

    Raises:
        ConfigError: a key is configured but not set.
    """
    if settings.privacy_key is not None:
        key = secret(settings.privacy_key)
        if key is None:
            raise ConfigError(f"privacy_key: {settings.privacy_key} is not set")
        return key
    return (_key_in_store if settings.is_s3 else _key_on_disk)(settings)


def _key_on_disk(settings: Settings) -> bytes:
    path = settings.data_path / _PRIVACY_KEY
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".privacy.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, secrets.token_hex(32).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return path.read_bytes().strip()


def _key_in_store(settings: Settings) -> bytes:
    """One object for all writers of the data folder; whoever creates it first decides."""
    store = object_store(settings)
    key = store.read(_PRIVACY_KEY)
    if key is None:
        store.create(_PRIVACY_KEY, secrets.token_hex(32).encode())
        key = store.read(_PRIVACY_KEY)
    if key is None:
        raise ConfigError(f"{settings.data}: its {_PRIVACY_KEY} was removed while it was being made")
    return key.strip()


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


def data_folder(settings: Settings) -> DataFolder:
    """Where this machine stages files and holds its locks: the data folder itself unless that is in S3."""
    from connector.write.folder import DataFolder

    return DataFolder(settings.local_path)


def make_publisher(
    settings: Settings, folder: DataFolder, *, wait_seconds: float = 60.0
) -> Publisher | ObjectPublisher:
    """The way into the tables; a committed journal file is retired at once.

    Raises:
        StoreError: the store cannot be reached, refuses, or does not keep what the ledger rests on.
    """
    journal = journal_folders(settings)
    publisher: Publisher | ObjectPublisher

    def retire(captured_file: str) -> None:
        _retire(journal, captured_file, publisher.record(captured_file))

    if settings.is_s3:
        from connector.s3.probe import probe
        from connector.write.object_publish import ObjectPublisher

        store = object_store(settings)
        probe(store)
        publisher = ObjectPublisher(folder, store, retire=retire, unretired=journal.waiting)
    else:
        from connector.write.publish import Publisher

        publisher = Publisher(folder, retire=retire, unretired=journal.waiting, wait_seconds=wait_seconds)
    return publisher


def _retire(journal: JournalFolders, captured_file: str, record: Record | None) -> None:
    """Only the very bytes that the record speaks of: a record of a copy taken too early covers less."""
    from connector.journal.reader import identify

    path = journal.closed / captured_file
    if record is None or not path.exists():
        return
    if identify(path, of_journal=True).sha256 == record.identity["sha256"]:
        journal.retire(captured_file)
    else:
        log.error("%s is not what the ledger has under this name; it stays where it is", captured_file)


def journal_folders(settings: Settings) -> JournalFolders:
    from connector.journal.folders import JournalFolders

    return JournalFolders(settings.journal_path)
