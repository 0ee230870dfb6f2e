"""``connector mappings``: Segment's Public API to a mapping file and back."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from connector import json_text
from connector.commands.traps import action_facts, print_traps
from connector.errors import ConfigError, MappingError
from connector.events import Json
from connector.mapping_files import export_document, import_answers
from connector.terminal import err
from connector.wiring import read_document

_STANDARD = "-"
_HEADER = """\
# Imported from Segment by `connector mappings import`. What Segment knows beside the mapping stands in
# x-segment, for `connector mappings export`; env:NAME stands for a secret that is in no file.
"""
_LINE_WIDTH = 100
_ODD_BREAKS = frozenset("\x85\u2028\u2029\ufeff")


def import_files(files: Sequence[str], output: Path | None, *, force: bool) -> int:
    """Write one mapping file for all answers; exit code 0, or 1 when the answers have faults.

    Raises:
        ConfigError: a file cannot be read, or the output is there already.
    """
    facts = action_facts()
    answers = [_read_json(name) for name in files]
    _refuse_to_overwrite(output, force=force)
    try:
        imported = import_answers(answers, facts)
    except MappingError as error:
        return _told(", ".join(files), error)
    for note in imported.notes:
        err.print(f"! {note}", markup=False)
    print_traps(output or "mapping", imported.document, facts)
    as_json = output is not None and output.suffix == ".json"
    _write(json_text.dump(imported.document) if as_json else document_text(imported.document), output)
    return 0


def export_file(file: Path, output: Path | None, *, force: bool) -> int:
    """Write Segment's list form; exit code 0, or 1 when the file has faults or a secret is not set.

    Raises:
        ConfigError: the file cannot be read, or the output is there already.
    """
    _refuse_to_overwrite(output, force=force)
    try:
        exported, unset = export_document(read_document(file), os.environ)
    except MappingError as error:
        return _told(str(file), error)
    for variable in unset:
        err.print(f"✗ {file}: {variable} is not set: it stands for a secret of this mapping", markup=False)
    if not unset:
        _write(json_text.dump(exported), output, private=True)
    return 1 if unset else 0


def document_text(document: Json) -> str:
    """A mapping document as YAML: its keys in order, small objects on one line, nothing said twice."""
    text = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_LINE_WIDTH,
    )  # fmt: skip
    return f"{_HEADER}{text}"


class _Dumper(yaml.SafeDumper):
    """Block style, except for what fits on a line: a directive reads better so."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_object(dumper: yaml.SafeDumper, value: dict[str, Json]) -> yaml.Node:
    one_line = "subscriptions" not in value and "mapping" not in value and _fits(value)
    return dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=one_line)


def _represent_list(dumper: yaml.SafeDumper, value: list[Json]) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=_fits(value))


def _represent_text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    # In single quotes PyYAML writes these line breaks as they are, and reads them back as blanks.
    style = '"' if _ODD_BREAKS & set(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _fits(value: Json) -> bool:
    return len(json.dumps(value)) <= _LINE_WIDTH - 20


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(dict, _represent_object)
_Dumper.add_representer(list, _represent_list)


def _read_json(name: str) -> Json:
    try:
        text = sys.stdin.read() if name == _STANDARD else Path(name).read_text(encoding="utf-8")
        return json_text.load(text)
    except OSError as error:
        raise ConfigError(f"{name}: {error.strerror or 'cannot be read'}") from None
    except ValueError as error:
        line = getattr(error, "line", None)
        where = f"{name}, line {line}" if line else name
        raise ConfigError(f"{where}: is no JSON") from None


def _refuse_to_overwrite(output: Path | None, *, force: bool) -> None:
    if output is not None and output.exists() and not force:
        raise ConfigError(f"{output}: is there already; --force writes over it")


def _told(where: str, error: MappingError) -> int:
    for fault in error.faults:
        err.print(f"✗ {where}: {fault}", markup=False)
    return 1


def _write(text: str, output: Path | None, *, private: bool = False) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    if private:
        output.unlink(missing_ok=True)
        output.touch(mode=0o600)
    output.write_text(text, encoding="utf-8")
    err.print(f"{output}: written", markup=False)
