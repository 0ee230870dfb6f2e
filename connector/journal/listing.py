"""The captured files that a person means: paths, folders, globs and addresses in S3, day by day."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple, Protocol

from connector.errors import ConfigError, StoreError
from connector.journal.archive import Days, may_hold_events, origin_of
from connector.journal.places import FilePlace, ObjectPlace, Place, client_of
from connector.s3.config import S3Config
from connector.s3.folders import list_folder
from connector.s3.objects import S3Object, list_objects

_BEING_WRITTEN = frozenset((".open", ".new"))
_OF_A_LEDGER = frozenset(("changes", "files"))


class Shelf(Protocol):
    """Folders of one kind. A folder is its whole path, ends with ``/``, and the empty one is the top."""

    def named(self, folder: str) -> str:
        """For people."""

    def day_of(self, folder: str) -> date | None:
        """The UTC day of a day folder, or of what lies below one."""

    def within(self, folder: str) -> Iterator[Place | str]:
        """Captured files and folders directly in a folder."""

    def below(self, folder: str) -> Iterator[Place]:
        """Every captured file below a folder, sorted."""


class _DayFolder(NamedTuple):
    day: date
    name: str
    shelf: Shelf
    folder: str


class Listing:
    """
    Every captured file behind the arguments of a command, found while it is iterated.

    First what lies in no day folder, argument by argument; then the day folders, by day and name, each listed
    only when its turn comes and never when its day is not wanted. Below a folder ``may_hold_events`` decides
    what is taken; a file that is named itself is.

    Raises (when made, and for what lies deeper when iterated):
        ConfigError: an argument leads to nothing, to a file that is still being written, to a data folder, or
            to a bucket that may not be listed.
        StoreError: S3 cannot be reached.
    """

    def __init__(self, arguments: Iterable[str], days: Days = Days(), s3: S3Config = S3Config()) -> None:  # noqa: B008 - both are frozen
        self.without_day = 0
        """Captured files passed over because days were asked for and they lie in no day folder."""
        self.other_days = 0
        """Day folders passed over, and files named themselves that lie in one."""
        self._days = days
        self._named: list[tuple[Shelf, Place | str]] = []
        for argument in dict.fromkeys(arguments):
            in_s3 = "://" in argument
            self._named += _in_bucket(argument, s3) if in_s3 else _on_disk(argument)

    def __iter__(self) -> Iterator[Place]:
        dated: dict[str, _DayFolder] = {}
        for shelf, named in self._named:
            for found in _walk(shelf, named):
                if isinstance(found, _DayFolder):
                    dated.setdefault(found.name, found)
                elif self._is_wanted(found):
                    yield found
        for folder in sorted(dated.values(), key=lambda each: (each.day, each.name)):
            if folder.day in self._days:
                yield from folder.shelf.below(folder.folder)
            else:
                self.other_days += 1

    def _is_wanted(self, place: Place) -> bool:
        if not self._days.bounded:
            return True
        self.without_day += place.day is None
        if place.day is None or place.day in self._days:
            return place.day is not None
        self.other_days += 1
        return False


def _walk(shelf: Shelf, named: Place | str) -> Iterator[Place | _DayFolder]:
    """What lies outside day folders, and the day folders."""
    if not isinstance(named, str):
        yield named
        return
    day = shelf.day_of(named)
    if day is not None:
        yield _DayFolder(day, shelf.named(named), shelf, named)
        return
    folders = []
    for found in shelf.within(named):
        if isinstance(found, str):
            folders.append(found)
        else:
            yield found
    for folder in sorted(folders):
        if folder == f"{named}ledger/":
            _refuse_data_folder(shelf, named)
        yield from _walk(shelf, folder)


def _refuse_data_folder(shelf: Shelf, folder: str) -> None:
    """What a ledger lies in holds tables, and the journal's files only where no rows of theirs are."""
    below = {found[len(folder) :] for found in shelf.within(f"{folder}ledger/") if isinstance(found, str)}
    if below & {f"ledger/{name}/" for name in _OF_A_LEDGER}:
        where = shelf.named(folder)
        raise ConfigError(f"{where}: is a data folder; name its journal/done or journal/closed instead")


class Disk:
    """Folders of this machine; paths stay as they were given, relative or not."""

    def named(self, folder: str) -> str:
        return str(Path(folder))

    def day_of(self, folder: str) -> date | None:
        return origin_of(f"{Path(folder).absolute().as_posix()}/").day

    def within(self, folder: str) -> Iterator[Place | str]:
        with os.scandir(folder or ".") as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                if may_hold_events(f"{entry.name}/"):
                    yield f"{folder}{entry.name}/"
            elif entry.is_file() and may_hold_events(entry.name):
                yield FilePlace.of(Path(folder, entry.name))

    def below(self, folder: str) -> Iterator[Place]:
        folders = []
        for found in self.within(folder):
            if isinstance(found, str):
                folders.append(found)
            else:
                yield found
        for inner in folders:
            yield from self.below(inner)


class Bucket:
    """Folders of one bucket; ``root`` is the one that was named."""

    def __init__(self, s3: S3Config, bucket: str, root: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._root = root

    def named(self, folder: str) -> str:
        return f"s3://{self._bucket}/{folder}".rstrip("/")

    def day_of(self, folder: str) -> date | None:
        return origin_of(folder).day

    def within(self, folder: str) -> Iterator[Place | str]:
        for found in list_folder(client_of(self._s3), self._bucket, folder):
            if isinstance(found, S3Object):
                if self._is_captured(found.key):
                    yield ObjectPlace.of(found)
            elif may_hold_events(found[len(self._root) :]):
                yield found

    def below(self, folder: str) -> Iterator[Place]:
        for found in list_objects(client_of(self._s3), self._bucket, folder):
            if self._is_captured(found.key):
                yield ObjectPlace.of(found)

    def _is_captured(self, key: str) -> bool:
        """A key that ends with ``/`` marks an empty folder."""
        return not key.endswith("/") and may_hold_events(key[len(self._root) :])


def _on_disk(argument: str) -> Iterator[tuple[Shelf, Place | str]]:
    named = Path(argument)
    if named.is_file() and named.suffix in _BEING_WRITTEN:
        raise ConfigError(f"{argument}: is still being written; connector drain closes and writes it")
    paths = [named] if named.exists() else _matches(argument)
    paths = [path for path in paths if path.suffix not in _BEING_WRITTEN]
    if not paths:
        raise ConfigError(f"{argument}: no such file or folder, and no match")
    shelf = Disk()
    for path in paths:
        if path.is_dir():
            folder = f"{path.as_posix().rstrip('/')}/"
            if (path / "ledger").is_dir():
                _refuse_data_folder(shelf, folder)
            yield shelf, folder
        elif path.is_file():
            yield shelf, FilePlace.of(path)


def _matches(pattern: str) -> list[Path]:
    found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - patterns may be absolute
    return [Path(match) for match in found]


def _in_bucket(argument: str, s3: S3Config) -> Iterator[tuple[Shelf, Place | str]]:
    scheme, _, rest = argument.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise ConfigError(f"{argument}: is neither a path nor s3://bucket/prefix")
    root = key if not key or key.endswith("/") else f"{key}/"
    shelf = Bucket(s3, bucket, root)
    try:
        if next(list_folder(client_of(s3), bucket, root), None) is not None:
            _refuse_data_folder(shelf, root)
            yield shelf, root
            return
        exact = next((found for found in list_folder(client_of(s3), bucket, key) if _key(found) == key), None)
    except StoreError as refused:
        raise _explained(argument, refused) from None
    if not isinstance(exact, S3Object):
        raise ConfigError(f"{argument}: {_NOTHING_THERE}")
    yield shelf, ObjectPlace.of(exact)


def _key(found: S3Object | str) -> str:
    return found if isinstance(found, str) else found.key


_NOTHING_THERE = (
    "no object has this key and none lies below it; upper and lower case differ, and * is not expanded"
)
_NEXT_STEP = {
    "store_missing": "there is no such bucket; look at its name, at s3.region and at s3.endpoint",
    "store_forbidden": "this may not be listed with the credentials of the AWS environment; "
    "they need s3:ListBucket on the bucket and s3:GetObject on what lies below",
}


def _explained(argument: str, refused: StoreError) -> Exception:
    """What a person can do about it; a store that cannot be reached stays what it is."""
    step = _NEXT_STEP.get(refused.code)
    if step is None:
        return refused
    return ConfigError(f"{argument}: {step} ({refused})")
