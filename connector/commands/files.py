"""The files a person means: paths, folders and globs to captured files, in a fixed order."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from connector.errors import ConfigError

_SKIPPED_SUFFIXES = frozenset((".open", ".new", ".part", ".parquet", ".md", ".yaml", ".yml", ".csv"))
_SKIPPED_NAMES = frozenset(("dummy-object.txt",))


def captured_paths(arguments: Iterable[str]) -> list[Path]:
    """Every regular file named, below a named folder, or matched by a glob.

    Below a folder, hidden files, journal files that are still open, Segment's ``dummy-object.txt`` and what
    by its suffix holds no events are passed over; a file that is named itself is always taken.

    Raises:
        ConfigError: an argument leads to nothing.
    """
    found: dict[Path, None] = {}
    for argument in arguments:
        if "://" in argument:
            raise ConfigError(f"{argument}: only files of this machine are supported by this version")
        paths = [Path(argument)] if Path(argument).exists() else [Path(p) for p in sorted(_matches(argument))]
        if not paths:
            raise ConfigError(f"{argument}: no such file or folder, and no match")
        for path in paths:
            found.update(dict.fromkeys(_below(path)))
    return list(found)


def _matches(pattern: str) -> list[str]:
    return glob.glob(pattern, recursive=True)  # noqa: PTH207 - patterns may be absolute


def _below(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [
        below
        for below in sorted(path.rglob("*"))
        if below.is_file()
        and below.suffix not in _SKIPPED_SUFFIXES
        and below.name not in _SKIPPED_NAMES
        and not any(part.startswith(".") for part in below.relative_to(path).parts)
    ]
