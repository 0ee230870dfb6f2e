"""Mapping, schemas and settings to the compiled pipeline, and the names that its outputs carry."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml

from connector import __version__, json_text, yaml_text
from connector.actions.call import NO_RULES, LakeSettings, SourceRules
from connector.actions.destination import Destinations
from connector.actions.document import holds_mixpanel
from connector.actions.outgoing import OutgoingDestination
from connector.actions.products import PRODUCT_NAMES
from connector.config import Settings
from connector.errors import ConfigError, Fault, MappingError
from connector.events import Captured, Json, Outcome
from connector.jsontext import canonical
from connector.options import SourceSettings
from connector.pipeline import Pipeline
from connector.schemas import read_schemas
from connector.tables import TABLES, Table
from connector.tables.model import Column
from connector.validate import Schemas, compile_schemas
from connector.wiring.storage import privacy_key

if TYPE_CHECKING:
    from connector.redrive.lot import RowSink
    from connector.write.sink import DuplicatesSink, RejectedSink, TableWriter


FIRST_ATTEMPT = "0"


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
    stated: str
    """The same without the privacy key: of what a person has configured, known before anything is written."""
    tag: str
    """Ten hex digits in every output name: fingerprint, suppression list, versions, attempt."""


class DryRun(NamedTuple):
    """A mapping of either kind, for commands that write nothing."""

    pipeline: Callable[[Captured], Outcome]
    tables: tuple[Table, ...]
    """Declarations of the lake's tables; Mixpanel's records have none."""
    notes: tuple[str, ...] = ()
    """What a person should know although everything compiles."""


def shipped_mapping() -> Path:
    """The default mapping: inside the installed package, or beside it in a checkout."""
    installed = Path(str(files("connector"))) / "default_mappings" / "ecommerce.yaml"
    beside = Path(str(files("connector"))).parent / "mappings" / "ecommerce.yaml"
    return installed if installed.is_file() else beside


def read_document(path: Path) -> Json:
    """What a file of mappings or of their cases holds, YAML or JSON by its name.

    Raises:
        ConfigError: the file cannot be read, is not what its name says, or says a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return json_text.load(text) if path.suffix == ".json" else yaml_text.load(text)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8") from None
    except json_text.NotJson as error:
        raise ConfigError(f"{path}{f', line {error.line}' if error.line else ''}: is not JSON") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}{yaml_text.place_and_problem(error)}") from None


def configure(settings: Settings, *, preview: bool = False) -> Configured:
    """Compile mapping and schemas.

    Args:
        preview: nothing is going to be written: no privacy key is made.

    Raises:
        ConfigError: every fault found, with file and path.
    """
    path = _mapping_path(settings)
    document = read_document(path)
    if holds_mixpanel(document):
        raise ConfigError(f"{path}: holds Mixpanel's actions; only connector map and check run those")
    lake = _lake_settings(settings, None if preview else privacy_key(settings))
    schemas = compile_schemas(read_schemas(settings.schemas))
    try:
        destinations = Destinations(document, lake)
    except MappingError as error:
        raise _in_file(path, error) from None
    compiled = sha256(canonical(document) + schemas.fingerprint.encode()).hexdigest()
    label = f"{path.stem}@{compiled[:8]}"
    stated = _influences(label, compiled, lake, settings)
    key = sha256(b"fingerprint:" + lake.privacy_key).hexdigest() if lake.privacy_key else None
    fingerprint = _fingerprint({**stated, "privacy_key": key})
    return Configured(
        pipeline=Pipeline(destinations, schemas, label),
        schemas=schemas,
        tables=lake.tables,
        label=label,
        fingerprint=fingerprint,
        stated=_fingerprint(stated),
        tag=_tag(fingerprint),
    )


def dry_run(settings: Settings) -> DryRun:
    """Compile a mapping of either kind, the lake's as ``configure`` does.

    Raises:
        ConfigError: every fault found, with file and path.
    """
    path = _mapping_path(settings)
    document = read_document(path)
    if not holds_mixpanel(document):
        configured = configure(settings, preview=True)
        return DryRun(configured.pipeline, configured.tables)
    try:
        destination = OutgoingDestination(document)
    except MappingError as error:
        raise _in_file(path, error) from None
    refusal = destination.refusal
    note = f"{path}: /settings: Segment would refuse every event: {refusal}"
    return DryRun(destination, (), () if refusal is None else (note,))


def _mapping_path(settings: Settings) -> Path:
    return Path(settings.mapping) if settings.mapping else shipped_mapping()


def _in_file(path: Path, error: MappingError) -> MappingError:
    return MappingError([Fault(f"{path}: {fault.path}", fault.text) for fault in error.faults])


def _lake_settings(settings: Settings, key: bytes | None) -> LakeSettings:
    if faults := list(_unknown_names(settings)):
        raise ConfigError("\n".join(faults))
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


def _unknown_names(settings: Settings) -> Iterator[str]:
    """What the configuration says of tables and product fields that there are not."""
    tables = [table.name for table in TABLES]
    for name in settings.columns:
        if name not in tables:
            yield f"columns.{name}: no such table; tables: {', '.join(tables)}"
    for source, entry in settings.sources.items():
        for name in entry.key_aliases:
            if name not in PRODUCT_NAMES:
                there = ", ".join(PRODUCT_NAMES)
                yield f"sources.{source}.key_aliases.{name}: is no product field; there are {there}"


def _rules(entry: SourceSettings) -> SourceRules:
    return SourceRules(**{rule.name: getattr(entry, rule.name) for rule in fields(SourceRules)})


def _influences(label: str, compiled: str, lake: LakeSettings, settings: Settings) -> dict[str, Json]:
    return {
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
    }


def _fingerprint(influences: dict[str, Json]) -> str:
    return "sha256:" + sha256(canonical(influences)).hexdigest()


def _tag(
    fingerprint: str, suppression: int = 0, attempt: str = FIRST_ATTEMPT, source: str | None = None
) -> str:
    import pyarrow

    depends_on = [fingerprint, suppression, __version__, f"pyarrow {pyarrow.__version__}", attempt]
    if source is not None:
        depends_on.append(source)
    return sha256(canonical(depends_on)).hexdigest()[:10]


def change_rows(configured: Configured) -> Callable[[Path, str], RowSink]:
    """Makes the sink for rows of several captured files that a change adds: staging folder, tag."""

    def sink(staging: Path, tag: str) -> RowSink:
        from connector.write.parquet import PartWriter

        return PartWriter.of_change(staging, configured.tables, tag)

    return sink


class LocalStaging:
    """Outputs of one captured file, below the data folder but out of its readers' sight."""

    def __init__(
        self, made: Path, configured: Configured, source: str | None = None, attempt: str = FIRST_ATTEMPT
    ) -> None:
        """
        Args:
            made: the staging folder.
            source: what rows of a plain file say about their sender; frames name their own.
            attempt: what nobody has had before, when the captured file is run again.
        """
        self._made = made
        self._tables = configured.tables
        first = source is None and attempt == FIRST_ATTEMPT
        self._tag = configured.tag if first else _tag(configured.fingerprint, 0, attempt, source)

    @property
    def folder(self) -> Path:
        return self._made

    def part(self, captured_file: str, part: int) -> TableWriter:
        from connector.write.parquet import PartWriter

        return PartWriter(self._made, self._tables, captured_file, part, self._tag)

    def rejected(self, captured_file: str) -> RejectedSink:
        from connector.write.rejected import RejectedWriter

        return RejectedWriter(self._made, captured_file, self._tag)

    def duplicates(self, captured_file: str) -> DuplicatesSink:
        from connector.write.duplicates import DuplicatesWriter

        return DuplicatesWriter(self._made, captured_file, self._tag)

    def empty(self) -> None:
        for path in self._made.iterdir():
            shutil.rmtree(path)
