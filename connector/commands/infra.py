"""``connector infra render`` and ``validate``: the template and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from connector.config import Settings
from connector.errors import ConfigError
from connector.infra import template as sam
from connector.infra.translate import TemplateRefused, lint, read_template, translate
from connector.infra.validate import BODY_BYTES, contradictions, safe_batch, values_of
from connector.tables import Table
from connector.terminal import err
from connector.wiring import configure

TEMPLATE = "template.yaml"
_LARGEST = "LargestEventBytes"


def tables_of(settings: Settings) -> tuple[Table, ...]:
    """The tables with the configured columns behind their own. Raises ``ConfigError``: every fault."""
    return configure(settings, preview=True).tables


def rendered(settings: Settings) -> str:
    """The SAM template for a configuration. Raises ``ConfigError``."""
    return sam.render(sam.shipped(TEMPLATE).read_text(encoding="utf-8"), tables_of(settings))


def render(settings: Settings, kind: str, out: Path | None, *, check: bool) -> int:
    """Print or write the template; with ``check``, only say whether the file holds just this.

    Returns:
        Exit code 1 when a checked file is not up to date.

    Raises:
        ConfigError: the configuration is wrong, or the extra ``infra`` is missing.
        TemplateRefused: see ``translate``.
    """
    text = rendered(settings)
    if kind == "cloudformation":
        text = translate(text)
    if check:
        return _checked(text, out or sam.shipped(TEMPLATE))
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        err.print(f"{out}: {len(text):,} bytes", markup=False)
    return 0


def validate(template: Path | None, largest_event_bytes: int | None, given: Sequence[str]) -> int:
    """Lint, translate, compare limits, and name the batch size that is safe in Segment.

    Args:
        template: default: the shipped one.
        largest_event_bytes: default: the template's parameter ``LargestEventBytes``.
        given: ``Name=value``, as they will be given at deployment.

    Returns:
        Exit code 1 when a check found a fault.

    Raises:
        ConfigError: the extra ``infra`` is missing, the file cannot be read, or a parameter is wrong.
    """
    path = template or sam.shipped(TEMPLATE)
    text, pairs = _read(path), _pairs(given)
    faults, values = [], {}
    try:
        values = values_of(read_template(text), pairs)
        linted = lint(text)
        translate(text)
    except TemplateRefused as refused:
        linted, faults = [], [str(refused)]
    found = contradictions(values)
    faults += [each.text for each in found if each.is_fault]
    for line in (*linted, *faults):
        click.echo(f"✗ {line}")
    for each in found:
        if not each.is_fault:
            click.echo(f"! {each.text}")
    largest = largest_event_bytes or values.get(_LARGEST)
    unsafe = isinstance(largest, int) and not _say_batch(largest)
    if not (linted or faults or unsafe):
        click.echo(f"✓ {path}: lints, translates, and its limits go together")
    return 1 if linted or faults or unsafe else 0


def _say_batch(largest_event_bytes: int) -> bool:
    """Name the safe batch size; False when there is none."""
    events = safe_batch(largest_event_bytes)
    if not events:
        click.echo(
            f"✗ events of {largest_event_bytes:,} bytes do not fit: a Function URL takes {BODY_BYTES:,}; "
            "infra/README.md describes the container, which takes more"
        )
        return False
    click.echo(
        f"Batch size in Segment: at most {events:,} events, floor({BODY_BYTES:,} / {largest_event_bytes:,}). "
        "Lambda refuses larger requests before the receiver sees them, and Segment drops what gets a 4xx."
    )
    return True


def _checked(text: str, path: Path) -> int:
    if _read(path) == text:
        err.print(f"{path}: up to date", markup=False)
        return 0
    err.print(
        f"{path}: is not what this configuration gives; connector infra render --out writes it", markup=False
    )
    return 1


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8") from None


def _pairs(given: Sequence[str]) -> Mapping[str, str]:
    pairs = [text.partition("=") for text in given]
    if wrong := [text for text, (name, equals, _) in zip(given, pairs, strict=True) if not (name and equals)]:
        raise ConfigError(f"--parameter {wrong[0]}: is written Name=value")
    return {name: value for name, _, value in pairs}
