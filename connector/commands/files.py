"""The files a person means: paths, folders and globs to captured files, in a fixed order."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from connector.errors import ConfigError

_SKIPPED_SUFFIXES = frozenset((".open", ".new", ".part", ".parquet", ".md", ".yaml", ".yml", ".csv"))
_BEING_WRITTEN = frozenset((".open", ".new"))
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
        named = Path(argument)
        if named.is_file() and named.suffix in _BEING_WRITTEN:
            raise ConfigError(f"{argument}: is still being written; connector drain closes and writes it")
        paths = [named] if named.exists() else [Path(match) for match in _matches(argument)]
        paths = [path for path in paths if path.suffix not in _BEING_WRITTEN]
        if not paths:
            raise ConfigError(f"{argument}: no such file or folder, and no match")
        for path in paths:
            if (path / "ledger" / "changes").is_dir():
                raise ConfigError(
                    f"{path}: is a data folder; name its journal/done or journal/closed instead"
                )
        for path in paths:
            found.update(dict.fromkeys(_below(path)))
    return list(found)


def _matches(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - patterns may be absolute


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
