"""``connector check``: every fault and every trap of every mapping, and the cases beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.text import Text

from connector.cases import Case, Difference, differences, read_cases
from connector.commands.traps import action_facts, print_traps
from connector.config import Settings, load_settings
from connector.errors import ConfigError
from connector.jsontext import canonical
from connector.mapping.lint import ActionFacts
from connector.terminal import err, out
from connector.wiring import DryRun, dry_run, read_document, shipped_mapping

_SUFFIXES = frozenset((".yaml", ".yml", ".json"))
_MOST_DIFFERENCES = 20
"""Shown of one case."""


class _Checked(NamedTuple):
    faults: int
    traps: int


def run(settings: Settings, arguments: Iterable[str], *, strict: bool = False) -> int:
    """Exit code: 0 when every mapping compiles and every case holds, 1 otherwise.

    Args:
        strict: a trap counts as a fault.

    Raises:
        ConfigError: an argument is no file and no folder, or a folder without a mapping.
    """
    paths = _mappings([Path(argument) for argument in arguments])
    if not paths:
        paths = [Path(settings.mapping) if settings.mapping else shipped_mapping()]
    facts = action_facts()
    checked = [_Checked(_check(path), _warn(path, facts)) for path in paths]
    return 1 if any(each.faults or (strict and each.traps) for each in checked) else 0


def _mappings(arguments: list[Path]) -> list[Path]:
    found: list[Path] = []
    for argument in arguments:
        if argument.is_dir():
            below = [path for path in sorted(argument.iterdir()) if path.suffix in _SUFFIXES]
            mappings = [path for path in below if not path.stem.endswith(".cases")]
            if not mappings:
                raise ConfigError(f"{argument}: holds no mapping (.yaml, .yml or .json)")
            found += mappings
        elif argument.is_file():
            found.append(argument)
        else:
            raise ConfigError(f"{argument}: no such file or folder")
    return found


def _check(path: Path) -> int:
    """Number of faults of one mapping, each printed."""
    try:
        checked = dry_run(load_settings(mapping=str(path)))
        cases = [case for file in _case_files(path) for case in read_cases(read_document(file), str(file))]
    except ConfigError as error:
        for line in str(error).splitlines():
            err.print(f"✗ {line}", markup=False)
        return 1
    for note in checked.notes:
        err.print(f"✗ {note}", markup=False)
    tables = {table.name: table for table in checked.tables}
    broken = 0
    compiled = {canonical({}): checked}
    for case in cases:
        configuration = canonical(case.configuration)
        if configuration not in compiled:
            compiled[configuration] = _under(path, case)
        found = list(differences(case, compiled[configuration].pipeline, tables))
        broken += bool(found)
        if found:
            _show(f"{path}: {case.name}", found)
    held = f"{len(cases) - broken} of {len(cases)} cases hold" if cases else "no cases beside it"
    out.print(f"{path}: compiles, {held}", markup=False)
    return broken + len(checked.notes)


def _warn(path: Path, facts: Mapping[str, ActionFacts]) -> int:
    """Number of traps of one mapping, each printed; one that cannot be read has been told as a fault."""
    try:
        return print_traps(path, read_document(path), facts)
    except ConfigError:
        return 0


def _show(title: str, found: Sequence[Difference]) -> None:
    """Print what differs in one case, a line each, coloured on a terminal."""
    err.print(f"✗ {title}:", markup=False)
    for difference in found[:_MOST_DIFFERENCES]:
        expected, got = (difference.expected, "green"), (difference.got, "red")
        err.print(Text.assemble(f"    {difference.place}: expected ", expected, ", got ", got))
    if len(found) > _MOST_DIFFERENCES:
        err.print(f"    … and {len(found) - _MOST_DIFFERENCES} more", markup=False)


def _under(path: Path, case: Case) -> DryRun:
    """The mapping under the settings that a case brings."""
    return dry_run(load_settings(mapping=str(path), **case.configuration))


def _case_files(path: Path) -> list[Path]:
    beside = [path.with_name(f"{path.stem}.cases{suffix}") for suffix in sorted(_SUFFIXES)]
    return [file for file in beside if file.is_file()]
