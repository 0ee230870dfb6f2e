"""Live files of a data folder in S3, as a pyarrow dataset and as downloads. DuckDB 2.0 has no httpfs here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs

from connector.errors import LedgerError, StoreError
from connector.s3.client import new_session
from connector.s3.faults import store_errors
from connector.s3.store import S3Store
from connector.tables import Table
from connector.tables.layout import day_in
from connector.write.arrow import arrow_schema
from connector.write.data import StoreData
from connector.write.ledger import Fold, Live
from connector.write.object_ledger import in_parallel

_DAY = pa.field("day", pa.date32())
_OF_AWS = re.compile(r"s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?")
"""Hosts that follow from the region alone."""


class RemoteFiles:
    """The files that a ledger says are live, read where they are. Opened once: what is published later is not
    seen, what a change removes is missed."""

    def __init__(self, data: StoreData, state: Fold | None = None) -> None:
        """``state``: the ledger, folded a moment ago; None: it is folded here.

        Raises ``StoreError``, ``LedgerError``, and ``TypeError`` for a store that is not S3.
        """
        if not isinstance(data.store, S3Store):
            raise TypeError(f"{data.uri}: only S3 can be read where it is")
        self._data = data
        self._place = data.store.place
        self._store = data.store
        self._state = state or data.fold()

    @cached_property
    def _files(self) -> Any:
        return _file_system(self._store)

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
        return self._downloaded(self._state.rejected)

    def duplicates(self) -> TemporaryDirectory[str] | None:
        """The same with the live lists of duplicates."""
        return self._downloaded(self._state.duplicates)

    def _downloaded(self, files: Mapping[str, Live]) -> TemporaryDirectory[str] | None:
        if not files:
            return None
        folder = TemporaryDirectory(prefix="connector-")
        wanted = [(name, Path(folder.name) / f"{at}.ndjson.gz") for at, name in enumerate(sorted(files))]
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
    return date.fromisoformat(day_in(live.output.name))


def _file_system(store: S3Store) -> Any:
    """The bucket through pyarrow, where the client looks for it, with the credentials and the certificates
    that every AWS tool finds."""
    session = new_session()
    with store_errors("read", store.place.bucket, store.client):
        found = session.get_credentials()
        if found is None:
            raise StoreError("no credentials for S3 were found", code="store_forbidden", retryable=False)
        keys = found.get_frozen_credentials()
    return pafs.S3FileSystem(
        access_key=keys.access_key,
        secret_key=keys.secret_key,
        session_token=keys.token,
        connect_timeout=store.config.connect_timeout_seconds,
        request_timeout=store.config.read_timeout_seconds,
        tls_ca_file_path=session.get_config_variable("ca_bundle"),
        **address_of(store),
    )


def address_of(store: S3Store) -> dict[str, Any]:
    """Region, endpoint and addressing as the client of boto3 has them, whatever it has them from."""
    meta = store.client.meta
    address = urlsplit(meta.endpoint_url)
    options: dict[str, Any] = {"region": meta.region_name or "us-east-1"}
    if store.config.endpoint is None and _OF_AWS.fullmatch(address.netloc):
        return options
    addressing = (getattr(meta.config, "s3", None) or {}).get("addressing_style")
    return options | {
        "endpoint_override": address.netloc + address.path.rstrip("/"),
        "scheme": address.scheme,
        "force_virtual_addressing": addressing == "virtual",
    }


def read_columns(store: S3Store, name: str, columns: list[str], target: Path) -> None:
    """Write some columns of a Parquet object into a file of this machine; the others are not transferred.

    Raises:
        StoreError: S3 refused or did not answer. OSError: the local disk.
    """
    import pyarrow.parquet as pq

    address = f"{store.place.bucket}/{store.place.prefix}{name}"
    part = target.with_suffix(".part")
    try:
        with (
            _file_system(store).open_input_file(address) as content,
            pq.ParquetFile(content, pre_buffer=True) as file,
        ):
            schema = pa.schema([file.schema_arrow.field(column) for column in columns])
            with pq.ParquetWriter(str(part), schema) as writer:
                for batch in file.iter_batches(columns=columns):
                    writer.write_batch(batch.select(columns))
    except (OSError, pa.ArrowException) as trouble:
        raise StoreError(f"while reading {name}: {str(trouble).splitlines()[0]}") from None
    part.replace(target)
