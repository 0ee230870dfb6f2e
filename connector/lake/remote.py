"""Live files of a data folder in S3, as a pyarrow dataset and as downloads. DuckDB 2.0 has no httpfs here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs

from connector.errors import LedgerError, StoreError
from connector.s3.store import S3Store
from connector.tables import Table
from connector.write.arrow import arrow_schema
from connector.write.data import StoreData
from connector.write.ledger import Live
from connector.write.object_ledger import in_parallel

_DAY = pa.field("day", pa.date32())


class RemoteFiles:
    """The files that a ledger says are live, read where they are. Opened once: what is published later is not
    seen, what a change removes is missed."""

    def __init__(self, data: StoreData) -> None:
        """Raises ``StoreError``, ``LedgerError``, and ``TypeError`` for a store that is not S3."""
        if not isinstance(data.store, S3Store):
            raise TypeError(f"{data.uri}: only S3 can be read where it is")
        self._data = data
        self._place = data.store.place
        self._files = _file_system(data.store)
        self._state = data.fold()

    def table(self, table: Table) -> Any:
        """A ``pyarrow.dataset.Dataset`` of the table's files: declared columns and ``day``.

        Columns that a file lacks are null. The ledger knows size and day of each file, so nothing is asked of
        the store before a row is wanted, and files of other days are not opened.
        """
        fields = [field.with_nullable(True) for field in arrow_schema(table)]
        form = ds.ParquetFileFormat()
        fragments = [
            form.make_fragment(
                f"{self._place.bucket}/{self._place.prefix}{live.output.name}",
                self._files,
                partition_expression=ds.field("day") == pa.scalar(_day_of(live), _DAY.type),
                file_size=live.output.bytes,
            )
            for live in _below(f"tables/{table.name}/", self._state.tables)
        ]
        return ds.FileSystemDataset(fragments, pa.schema([*fields, _DAY]), form, self._files)

    def rejected(self) -> TemporaryDirectory[str] | None:
        """Download the live rejected files, ``<number>.ndjson.gz``; None when there are none."""
        if not self._state.rejected:
            return None
        folder = TemporaryDirectory(prefix="connector-")
        wanted = [
            (name, Path(folder.name) / f"{at}.ndjson.gz")
            for at, name in enumerate(sorted(self._state.rejected))
        ]
        try:
            for _ in in_parallel(self._download, wanted):
                pass
        except BaseException:
            folder.cleanup()
            raise
        return folder

    def _download(self, wanted: tuple[str, Path]) -> None:
        if not self._data.store.download(*wanted):
            raise LedgerError(f"{wanted[0]} is in the ledger and not in the store")


def _below(folder: str, files: Mapping[str, Live]) -> Iterable[Live]:
    return (files[name] for name in sorted(files) if name.startswith(folder))


def _day_of(live: Live) -> date:
    return date.fromisoformat(live.output.name.split("/")[2].removeprefix("day="))


def _file_system(store: S3Store) -> Any:
    """The bucket through pyarrow, with the credentials that boto3 would use."""
    import boto3

    found = boto3.Session().get_credentials()
    if found is None:
        raise StoreError("no credentials for S3 were found", code="store_forbidden", retryable=False)
    keys, config = found.get_frozen_credentials(), store.config
    options: dict[str, Any] = {
        "access_key": keys.access_key,
        "secret_key": keys.secret_key,
        "session_token": keys.token,
        "region": config.region or store.client.meta.region_name,
        "connect_timeout": config.connect_timeout_seconds,
        "request_timeout": config.read_timeout_seconds,
    }
    if config.endpoint is not None:
        address = urlsplit(config.endpoint)
        options |= {"endpoint_override": address.netloc + address.path.rstrip("/"), "scheme": address.scheme}
    return pafs.S3FileSystem(**options)
