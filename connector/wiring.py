"""Settings to ready parts. Real parts are chosen here and nowhere else; only entry points import this."""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import time
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from connector import __version__
from connector.actions.call import NO_RULES, LakeSettings, SourceRules
from connector.actions.destination import Destination
from connector.config import Settings, secret
from connector.errors import ConfigError, Fault, MappingError
from connector.events import Json, SourceKeys
from connector.jsontext import canonical
from connector.options import SourceSettings
from connector.pipeline import Pipeline
from connector.schemas import read_schemas
from connector.tables import TABLES, Table
from connector.tables.model import Column
from connector.validate import Schemas, compile_schemas

if TYPE_CHECKING:
    from flask import Flask

    from connector.journal.folders import JournalFolders
    from connector.receive.journal_port import Journal
    from connector.write.folder import DataFolder
    from connector.write.publish import Publisher
    from connector.write.sink import RejectedSink, TableWriter


log = logging.getLogger("connector.writer")


@dataclass(frozen=True, slots=True)
class Configured:
    """Everything that rows depend on, compiled, and the names that go with it."""

    pipeline: Pipeline
    schemas: Schemas
    tables: tuple[Table, ...]
    label: str
    """``<mapping name>@<first 8 hex of the hash of mapping and schemas>``: the column ``mapping``."""
    fingerprint: str
    """``sha256:<hex>`` of all that influences rows."""
    tag: str
    """Ten hex digits in every output name: fingerprint, suppression list, versions, attempt."""


def shipped_mapping() -> Path:
    """The default mapping: inside the installed package, or beside it in a checkout."""
    installed = Path(str(files("connector"))) / "default_mappings" / "ecommerce.yaml"
    beside = Path(str(files("connector"))).parent / "mappings" / "ecommerce.yaml"
    return installed if installed.is_file() else beside


def read_mapping(path: Path) -> Json:
    """The document of a mapping file, YAML or JSON.

    Raises:
        ConfigError: the file cannot be read or is neither.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except (ValueError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else getattr(error, "lineno", None)
        where = f", line {line}" if line else ""
        raise ConfigError(f"{path}{where}: is neither YAML nor JSON") from None


def configure(settings: Settings, *, preview: bool = False) -> Configured:
    """Compile mapping and schemas.

    Args:
        preview: nothing is going to be written: no privacy key is made.

    Raises:
        ConfigError: every fault found, with file and path.
    """
    path = Path(settings.mapping) if settings.mapping else shipped_mapping()
    document = read_mapping(path)
    lake = _lake_settings(settings, None if preview else privacy_key(settings))
    schemas = compile_schemas(read_schemas(settings.schemas))
    try:
        destination = Destination(document, lake)
    except MappingError as error:
        raise MappingError([Fault(f"{path}: {fault.path}", fault.text) for fault in error.faults]) from None
    compiled = sha256(canonical(document) + schemas.fingerprint.encode()).hexdigest()
    label = f"{path.stem}@{compiled[:8]}"
    fingerprint = _fingerprint(label, compiled, lake, settings)
    return Configured(
        Pipeline(destination, schemas, label), schemas, lake.tables, label, fingerprint, _tag(fingerprint)
    )


def _lake_settings(settings: Settings, key: bytes | None) -> LakeSettings:
    unknown = [name for name in settings.columns if name not in {table.name for table in TABLES}]
    if unknown:
        raise ConfigError(f"columns.{unknown[0]}: no such table; tables: {', '.join(t.name for t in TABLES)}")
    tables = tuple(
        table.with_columns(
            Column(name, column.type, f"From `{column.path}`, by configuration", (column.path,))
            for name, column in settings.columns.get(table.name, {}).items()
        )
        for table in TABLES
    )
    rules = {name: _rules(entry) for name, entry in settings.sources.items()}
    return LakeSettings(
        tables,
        settings.first_day,
        settings.future_bound_ms,
        settings.revenue_from,
        {name: rule for name, rule in rules.items() if rule != NO_RULES},
        settings.past_bound_days,
        key,
    )


def _rules(entry: SourceSettings) -> SourceRules:
    return SourceRules(**{rule.name: getattr(entry, rule.name) for rule in fields(SourceRules)})


def _fingerprint(label: str, compiled: str, lake: LakeSettings, settings: Settings) -> str:
    influences = {
        "label": label,
        "part_bytes": settings.part_bytes,
        "compiled": compiled,
        "columns": {
            table: {name: [column.path, column.type] for name, column in columns.items()}
            for table, columns in settings.columns.items()
        },
        "first_day": settings.first_day.isoformat(),
        "future_bound_ms": settings.future_bound_ms,
        "revenue_from": list(settings.revenue_from),
        "past_bound_days": settings.past_bound_days,
        "sources": {name: asdict(rule) for name, rule in lake.sources.items()},
        "privacy_key": sha256(b"fingerprint:" + lake.privacy_key).hexdigest() if lake.privacy_key else None,
    }
    return "sha256:" + sha256(canonical(influences)).hexdigest()


def _tag(fingerprint: str, suppression: int = 0, attempt: str = "0", source: str | None = None) -> str:
    import pyarrow

    depends_on = [fingerprint, suppression, __version__, f"pyarrow {pyarrow.__version__}", attempt]
    if source is not None:
        depends_on.append(source)
    return sha256(canonical(depends_on)).hexdigest()[:10]


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
    path = settings.data_path / "privacy.key"
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


class LocalStaging:
    """Outputs of one captured file, below the data folder but out of its readers' sight."""

    def __init__(self, made: Path, configured: Configured, source: str | None = None) -> None:
        """
        Args:
            made: the staging folder.
            source: what rows of a plain file say about their sender; frames name their own.
        """
        self._made = made
        self._tables = configured.tables
        self._tag = configured.tag if source is None else _tag(configured.fingerprint, source=source)

    @property
    def folder(self) -> Path:
        return self._made

    def part(self, captured_file: str, part: int) -> TableWriter:
        from connector.write.parquet import PartWriter

        return PartWriter(self._made, self._tables, captured_file, part, self._tag)

    def rejected(self, captured_file: str) -> RejectedSink:
        from connector.write.rejected import RejectedWriter

        return RejectedWriter(self._made, captured_file, self._tag)

    def empty(self) -> None:
        for path in self._made.iterdir():
            shutil.rmtree(path)


def data_folder(settings: Settings) -> DataFolder:
    from connector.write.folder import DataFolder

    return DataFolder(settings.data_path)


def make_publisher(settings: Settings, folder: DataFolder, *, wait_seconds: float = 60.0) -> Publisher:
    """The way into the tables; a committed journal file is retired at once."""
    from connector.journal.reader import identify
    from connector.write.publish import Publisher

    journal = journal_folders(settings)

    def retire(captured_file: str) -> None:
        """Only the very bytes that the record speaks of: a record of a copy taken too early covers less."""
        path = journal.closed / captured_file
        record = publisher.fold.records.get(captured_file)
        if record is None or not path.exists():
            return
        if identify(path, of_journal=True).sha256 == record.identity["sha256"]:
            journal.retire(captured_file)
        else:
            log.error("%s is not what the ledger has under this name; it stays where it is", captured_file)

    publisher = Publisher(folder, retire=retire, unretired=journal.waiting, wait_seconds=wait_seconds)
    return publisher


def journal_folders(settings: Settings) -> JournalFolders:
    from connector.journal.folders import JournalFolders

    return JournalFolders(settings.journal_path)


def make_journal(settings: Settings) -> Journal:
    """The journal of one receiver process. Made after the server has forked."""
    from connector.journal.limits import JournalLimits
    from connector.journal.writer import JournalWriter

    limits = JournalLimits(
        roll_bytes=settings.roll_bytes,
        roll_seconds=settings.roll_seconds,
        journal_reserve_bytes=settings.journal_reserve_bytes,
        journal_max_bytes=settings.journal_max_bytes,
        alone_bytes=settings.spool_bytes,
    )
    return JournalWriter(settings.journal_path, limits)


def make_app(settings: Settings, journal: Journal) -> Flask:
    """The receiver over a journal."""
    from connector.receive.bodies import Limits
    from connector.receive.http import create_app
    from connector.receive.metrics import Metrics

    known: dict[str, SourceKeys | None] = {}

    def sources(name: str) -> SourceKeys | None:
        if not settings.sources:
            return settings.source_keys(name)
        if name not in known and name in settings.sources:
            known[name] = settings.source_keys(name)
        return known.get(name)

    spool = settings.journal_path / "spool"
    spool.mkdir(parents=True, exist_ok=True)
    limits = Limits(
        max_body_bytes=settings.max_body_bytes,
        spool_bytes=settings.spool_bytes,
        max_in_flight_bytes=settings.max_in_flight_bytes,
        spool_folder=spool,
    )
    return create_app(
        journal, sources, limits=limits, metrics=Metrics(), clock_ms=lambda: time.time_ns() // 1_000_000
    )
