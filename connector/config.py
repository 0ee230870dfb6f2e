"""Settings: the only reader of the environment and of configuration files.

Precedence: command-line options, then ``CONNECTOR_…`` variables, then the file, then the defaults.
"""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from connector import yaml_text
from connector.errors import ConfigError
from connector.events import SourceKeys
from connector.nearest import close_name
from connector.options import (
    CHANNELS,
    NO_REFERENCE,
    REFERENCE,
    AwsOptions,
    Channel,
    PromotedColumn,
    Reference,
    S3Options,
    Slug,
    SourceSettings,
)
from connector.tables.layout import FIRST_DAY

_NEARLY_S3 = re.compile(r"s3a?n?:", re.IGNORECASE)
_FIELD = re.compile(r'field "(\w+)"')
_OPTIONS: dict[str, type[BaseModel]] = {"s3": S3Options, "aws": AwsOptions}


class Settings(BaseSettings):
    """Every setting, with its default. The README's table is printed from these descriptions."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="CONNECTOR_", env_nested_delimiter="__"
    )

    data: str = Field(
        "./data",
        description="The data folder: tables, rejected, ledger and, by default, journal. Or `s3://bucket/prefix`.",
    )
    s3: S3Options = Field(
        S3Options.model_validate({}),
        description="How S3 is reached: endpoint, region, encryption, patience; see docs/settings.md.",
    )
    aws: AwsOptions = Field(
        AwsOptions.model_validate({}),
        description="The journal on AWS: stream, places, queues; see docs/settings.md.",
    )
    mapping: str | None = Field(
        None, description="Mapping file, YAML or JSON; the shipped `mappings/ecommerce.yaml` when not set."
    )
    schemas: Path | None = Field(
        None, description="Folder with your own schemas; they replace shipped ones by name."
    )
    journal: Path | None = Field(
        None,
        description="Folder of the journal, always of this machine; `<data>/journal`, `./journal` with S3.",
    )
    privacy_key: Reference | None = Field(
        None,
        description="Key for hashes of forgotten ids, `env:NAME` or `file:PATH`; else `<data>/privacy.key`.",
    )
    sources: dict[Slug, SourceSettings] = Field(
        default_factory=dict,
        description="Who may send; none: development, any name, unsigned, loopback only.",
    )
    columns: dict[str, dict[str, PromotedColumn]] = Field(
        default_factory=dict, description="Per table, column name to path and type: keys promoted to columns."
    )

    channels: dict[Slug, Channel] = Field(
        default_factory=dict, description="Where cohorts may be sent, by name; see docs/cohorts.md."
    )

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65_535, description="Port to listen on.")
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[A-Za-z0-9.\[\]:-]+$",
        description="Address under which SDKs reach the receiver, told to browsers; else the request's Host.",
    )
    workers: int = Field(2, ge=1, le=64, description="Receiver processes.")
    threads: int = Field(32, ge=1, le=1_024, description="Request threads per receiver process.")
    max_body_bytes: int = Field(134_217_728, gt=0, description="Largest body accepted; above it 413.")
    spool_bytes: int = Field(4_194_304, gt=0, description="Bodies above it are spooled to disk.")
    max_in_flight_bytes: int = Field(
        536_870_912,
        gt=0,
        description="Bytes of webhooks being received at one time, per process; above it 503.",
    )
    roll_bytes: int = Field(67_108_864, gt=0, description="A journal file is closed at this size,")
    roll_seconds: float = Field(20.0, gt=0, description="or this long after its first frame.")
    journal_reserve_bytes: int = Field(
        536_870_912, ge=0, description="Free space below which the receiver answers 503."
    )
    journal_max_bytes: int | None = Field(
        None,
        gt=0,
        description="Bytes of journal files above which it answers 503; half of them and the free space.",
    )
    public_share: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Share of the journal's room that write keys may fill; they leave reserve / share free.",
    )
    public_body_bytes: int = Field(
        4_194_304, gt=0, description="Largest body accepted with a write key; Segment's own limit is 500 KB."
    )
    publish_seconds: float = Field(2.0, gt=0, description="Pause between two rounds of the writer.")
    compact_seconds: float = Field(
        300.0, ge=0, description="Pause between two passes that merge table files, while serving; 0: never."
    )
    compact_target_bytes: int = Field(
        268_435_456, ge=1_048_576, description="Size that table files are merged up to."
    )
    grace_seconds: float = Field(
        1_800.0, ge=0, description="How long replaced files stay for those who read them."
    )
    retention_days: int = Field(30, ge=1, description="How long written journal files are kept.")
    open_after_seconds: float = Field(
        900.0, ge=0, description="A captured file that is not written so long after it was closed is a fault."
    )
    unpacked_max_bytes: int | None = Field(
        None, gt=0, description="A compressed file that unpacks to more is not read; half of the free disk."
    )

    first_day: date = Field(FIRST_DAY, description="Sender's times before this day are replaced, flagged.")
    future_bound_ms: int = Field(
        86_400_000, ge=0, description="Sender's times this far after the arrival are replaced, flagged."
    )
    past_bound_days: int | None = Field(
        400, ge=1, description="Times of events with a write key are replaced, flagged, when older than this."
    )
    revenue_from: tuple[Literal["revenue", "subtotal", "total_less_tax_shipping", "items"], ...] = Field(
        ("revenue",), min_length=1, description="Where `order_revenue` may come from, in order."
    )
    part_bytes: int = Field(
        268_435_456, ge=1_048_576, description="A captured file is written in parts of this many bytes."
    )

    @field_validator("data")
    @classmethod
    def _is_a_place(cls, value: str) -> str:
        """``s3:/bucket`` and the like are slips, not folders."""
        if not value:
            raise PydanticCustomError("place", "is empty; name a folder or s3://bucket/prefix")
        if _NEARLY_S3.match(value) and not value.startswith("s3://"):
            raise PydanticCustomError("place", "an address in S3 is written s3://bucket/prefix")
        return value

    @field_validator("sources", mode="before")
    @classmethod
    def _empty_entries(cls, value: Any) -> Any:
        """``web:`` with nothing behind it is an entry with every default."""
        return {name: entry or {} for name, entry in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _largest_body_fits(self) -> Self:
        if self.max_in_flight_bytes < self.max_body_bytes:
            raise PydanticCustomError(
                "limits", "max_in_flight_bytes is below max_body_bytes: a large body could never be taken"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=_file_values())

    @model_validator(mode="after")
    def _keys_name_one_source(self) -> Self:
        for what in ("source_ids", "write_keys"):
            owners: dict[str, str] = {}
            for name, entry in self.sources.items():
                for key in getattr(entry, what):
                    if owners.setdefault(key, name) != name:
                        raise PydanticCustomError(
                            "shared", f"sources {owners[key]} and {name} share one of their {what}"
                        )
        return self

    @property
    def is_s3(self) -> bool:
        return self.data.startswith("s3://")

    @property
    def data_path(self) -> Path:
        """The data folder when it is one of this machine.

        Raises:
            ConfigError: it is not, or it is a place of a kind nobody knows.
        """
        if "://" in self.data:
            raise ConfigError("data: is either a folder of this machine or s3://bucket/prefix")
        return Path(self.data)

    @property
    def data_address(self) -> str:
        """The data folder under the one name it has from everywhere on this machine."""
        return self.data.rstrip("/") if self.is_s3 else str(self.data_path.absolute())

    @property
    def local_path(self) -> Path:
        """Where this machine keeps its locks, staged files and counters: the data folder itself, or a folder
        beside the journal when the data folder is in S3."""
        return self.journal_path / "work" if self.is_s3 else self.data_path

    @property
    def journal_path(self) -> Path:
        return self.journal or (Path("journal") if self.is_s3 else self.data_path / "journal")

    def source_of_id(self, source_id: str) -> str | None:
        """The source that a folder of Segment's archive belongs to; None when no source has this id."""
        return next((name for name, entry in self.sources.items() if source_id in entry.source_ids), None)

    def source_keys(self, name: str) -> SourceKeys | None:
        """What a source accepts as proof; None when it is unknown. Without sources: anything, unsigned."""
        if not self.sources:
            return SourceKeys(name, unsigned=True)
        entry = self.sources.get(name)
        if entry is None:
            return None
        missing: list[str] = []
        missing_write_keys: list[str] = []
        header = entry.second_header
        return SourceKeys(
            name,
            secrets=tuple(_resolve(entry.secrets, missing)),
            second_header=header.name.lower() if header else None,
            second_values=tuple(_resolve(header.values, missing)) if header else (),
            api_keys=tuple(_resolve(entry.api_keys, missing)),
            unsigned=entry.unsigned,
            missing=tuple(missing),
            write_keys=tuple(_resolve(entry.write_keys, missing_write_keys)),
            missing_write_keys=tuple(missing_write_keys),
            events_per_second=entry.events_per_second / self.workers,
            bytes_per_second=entry.bytes_per_second / self.workers,
        )

    def missing_secrets(self) -> list[str]:
        """References that are configured but not set, as ``web: env:WEB_SECRET``."""
        keys = [self.source_keys(name) for name in self.sources]
        return [
            f"{source.name}: {reference}"
            for source in keys
            if source
            for reference in (*source.missing, *source.missing_write_keys)
        ]


def secret(reference: str) -> bytes | None:
    """The secret behind ``env:NAME`` or ``file:PATH``; None when it is not set or empty.

    Raises:
        ConfigError: the reference is neither, as when a secret itself stands in the file.
    """
    found = REFERENCE.match(reference)
    if found is None:
        raise ConfigError(NO_REFERENCE)
    kind, name = found.groups()
    if kind == "env":
        value = os.environb.get(os.fsencode(name), b"")
    else:
        try:
            value = Path(name).read_bytes()
        except OSError:
            return None
    return value.rstrip(b"\r\n") or None


def _resolve(references: tuple[str, ...], missing: list[str]) -> list[bytes]:
    found = []
    for reference in references:
        value = secret(reference)
        if value is None:
            missing.append(reference)
        else:
            found.append(value)
    return found


def _file_values() -> dict[str, Any]:
    name = os.environ.get("CONNECTOR_CONFIG")
    if not name:
        return {}
    try:
        values = yaml_text.load(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{name}: {error.strerror or 'cannot be read'}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: is not UTF-8") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}{yaml_text.place_and_problem(error)}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{name}: should hold settings, each as key: value")
    return values


def _said(fault: Any) -> str:
    """One fault for a person: the key, and what is wrong with it; never the value."""
    where = ".".join(map(str, fault["loc"])) or "settings"
    if fault["type"] == "tuple_type":
        return f"{where}: should be a list, [...]"
    if fault["type"] != "extra_forbidden":
        return f"{where}: {fault['msg']}"
    close = close_name(str(fault["loc"][-1]), _model_at(fault["loc"]).model_fields)
    return f"{where}: there is no such key" + (f"; did you mean {close!r}?" if close else "")


def _model_at(place: tuple[Any, ...]) -> type[BaseModel]:
    """The part of the settings that a key is missing in."""
    if len(place) == 1:
        return Settings
    if place[0] == "channels":
        return CHANNELS[place[2]]
    return _OPTIONS.get(str(place[0]), SourceSettings)


def load_settings(**options: Any) -> Settings:
    """Settings from options that are not None, the environment, the file and the defaults.

    Raises:
        ConfigError: every fault at once, by key, without the values.
    """
    try:
        return Settings(**{key: value for key, value in options.items() if value is not None})
    except ValidationError as error:
        raise ConfigError("\n".join(map(_said, error.errors()))) from None
    except SettingsError as error:
        field = _FIELD.search(str(error))
        raise ConfigError(f"CONNECTOR_{field[1].upper() if field else '…'}: is not JSON") from None
