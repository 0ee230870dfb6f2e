"""``connector check``: every fault of every mapping, and the cases beside it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from connector.cases import Case, differences, read_cases
from connector.config import Settings, load_settings
from connector.errors import ConfigError
from connector.pipeline import Pipeline
from connector.terminal import err, out
from connector.wiring import configure, read_mapping, shipped_mapping

_SUFFIXES = frozenset((".yaml", ".yml", ".json"))


def run(settings: Settings, arguments: Iterable[str]) -> int:
    """Exit code: 0 when every mapping compiles and every case holds, 1 otherwise.

    Raises:
        ConfigError: an argument is no file and no folder, or a folder without a mapping.
    """
    paths = _mappings([Path(argument) for argument in arguments])
    if not paths:
        paths = [Path(settings.mapping) if settings.mapping else shipped_mapping()]
    return 1 if sum(_check(path) for path in paths) else 0


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
        configured = configure(load_settings(mapping=str(path)), preview=True)
        cases = [case for file in _case_files(path) for case in read_cases(read_mapping(file), str(file))]
    except ConfigError as error:
        for line in str(error).splitlines():
            err.print(f"✗ {line}", markup=False)
        return 1
    tables = {table.name: table for table in configured.tables}
    failed = 0
    for case in cases:
        pipeline = _pipeline(path, case) if case.configuration else configured.pipeline
        found = list(differences(case, pipeline, tables))
        failed += bool(found)
        for line in found:
            err.print(f"✗ {path}: {case.name}: {line}", markup=False)
    held = f"{len(cases) - failed} of {len(cases)} cases hold" if cases else "no cases beside it"
    out.print(f"{path}: compiles, {held}", markup=False)
    return failed


def _pipeline(path: Path, case: Case) -> Pipeline:
    """The mapping under the settings that a case brings."""
    return configure(load_settings(mapping=str(path), **case.configuration), preview=True).pipeline


def _case_files(path: Path) -> list[Path]:
    beside = [path.with_name(f"{path.stem}.cases{suffix}") for suffix in sorted(_SUFFIXES)]
    return [file for file in beside if file.is_file()]
