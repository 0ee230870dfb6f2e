"""Settings to what cohorts need: their files, a desk, a channel, the way of exposures into the tables."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connector.cohorts.catalogue import Cohorts
from connector.cohorts.channels import Channel
from connector.config import Settings, secret
from connector.errors import ConfigError
from connector.nearest import close_name
from connector.options import CsvChannel, SegmentChannel, TwilioChannel, WebhookChannel
from connector.report.desks.desk import Desk
from connector.wiring import configure, existing_data, saved_files

SOURCE = "connector"
"""The source of what this program itself says has happened."""


def cohorts_of(settings: Settings) -> Cohorts:
    """The cohorts beside the data. Raises ``ConfigError``: there is no such data folder."""
    existing_data(settings)
    return Cohorts(saved_files(settings))


@contextmanager
def desk_of(settings: Settings) -> Iterator[Desk]:
    """DuckDB over the data folder. Raises ``ConfigError``: there is none."""
    from connector.report.desks.duck import duck_desk

    with duck_desk(existing_data(settings)) as desk:
        yield desk


def channel_of(settings: Settings, name: str, *, with_contacts: bool) -> Channel:
    """
    A channel of the configuration; there are no others, so no address comes from a command line.

    Args:
        with_contacts: CSV files show addresses and names.

    Raises:
        ConfigError: no such channel is configured, or a secret is not set.
    """
    configured = settings.channels.get(name)
    if configured is None:
        there = close_name(name, settings.channels) or ", ".join(settings.channels) or "none"
        raise ConfigError(f"--channel: no channel {name} is configured under channels; there is {there}")
    if with_contacts and not isinstance(configured, CsvChannel):
        raise ConfigError("--with-contacts is for channels of the kind csv; others say what they send")
    if isinstance(configured, WebhookChannel):
        return _webhook(configured, name)
    if isinstance(configured, SegmentChannel):
        return _segment(configured, name)
    if isinstance(configured, TwilioChannel):
        return _twilio(configured)
    return _csv(configured, with_contacts)


def _webhook(configured: WebhookChannel, name: str) -> Channel:
    from connector.cohorts.channels.post import Poster
    from connector.cohorts.channels.webhook import Webhook

    headers = {
        key: _secret(reference, f"channels.{name}.headers.{key}")
        for key, reference in configured.headers.items()
    }
    signing = configured.secret
    return Webhook(
        Poster(configured.url, configured.timeout_seconds),
        headers=headers,
        secret=None if signing is None else _secret(signing, f"channels.{name}.secret").encode(),
        project_id=configured.project_id,
        requires=configured.requires,
        columns=configured.columns,
    )


def _segment(configured: SegmentChannel, name: str) -> Channel:
    from connector.cohorts.channels.segment import Segment

    return Segment(
        _secret(configured.write_key, f"channels.{name}.write_key"),
        configured.host,
        trait=configured.trait,
        requires=configured.requires,
        columns=configured.columns,
        timeout_seconds=configured.timeout_seconds,
    )


def _twilio(configured: TwilioChannel) -> Channel:
    from connector.cohorts.channels.twilio import Twilio

    return Twilio(
        configured.folder,
        form=configured.format,
        consent=configured.consent,
        region=configured.region,
        columns=configured.columns,
    )


def _csv(configured: CsvChannel, with_contacts: bool) -> Channel:
    from connector.cohorts.channels.csv_files import CsvFiles

    return CsvFiles(
        configured.folder,
        requires=configured.requires,
        columns=configured.columns,
        with_contacts=with_contacts,
    )


def _secret(reference: str, where: str) -> str:
    value = secret(reference)
    if value is None:
        raise ConfigError(f"{where}: {reference} is not set")
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        raise ConfigError(f"{where}: {reference} holds other characters than ASCII") from None


def write_exposures(settings: Settings, messages: bytes, name: str) -> None:
    """
    Replay exposures into the tables; the same ones a second time change nothing.

    Args:
        name: of the file below the data folder that keeps them.

    Raises:
        ConfigError: the mapping does not store them, so no report could read the experiment.
        ConnectorError, OSError: as a replay.
    """
    if not settings.is_s3:
        _replay(settings, settings.data_path / name)
        return
    with tempfile.TemporaryDirectory(prefix="connector-") as folder:
        path = Path(folder) / "exposures.ndjson"
        path.write_bytes(messages)
        _replay(settings, path)


def _replay(settings: Settings, path: Path) -> None:
    from connector.journal.places import FilePlace
    from connector.rounds import Writer

    written = Writer(settings, configure(settings)).write([FilePlace(path)], source=SOURCE)
    if written.stopped:
        raise written.stopped
    kept = written.counts.of("stored") + written.counts.of("duplicate")
    if written.failed or kept != written.events:
        raise ConfigError(
            "the exposures of the experiment were not stored, so nothing was sent: the mapping must store "
            f"the event Experiment Viewed ({written.said})"
        )
