"""The files of an archive, read one after the other; one that cannot be read is noted, the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from connector.errors import ConfigError, ConnectorError, StoreError
from connector.events import Captured
from connector.journal.places import ObjectPlace, Place
from connector.journal.reader import CapturedFile, open_captured
from connector.s3.config import S3Config

REFUSED_IN_A_ROW = 20
"""Objects that S3 may refuse one after the other before it is taken for refusing all."""
_ABOUT_ONE_OBJECT = frozenset(("store_forbidden", "store_unsuitable"))


class NotRead(NamedTuple):
    """A file of the archive that was not compared, or not as a whole."""

    name: str
    reason: str


class Archive:
    """Reads captured files as a replay does."""

    def __init__(
        self,
        s3: S3Config,
        folder: Path,
        source_of: Callable[[Place], str],
        largest_bytes: Callable[[], int],
    ) -> None:
        """
        Args:
            folder: where objects are copied to and large files are unpacked.
            source_of: who sent the events of a file.
            largest_bytes: what a file may unpack to, asked for each.
        """
        self.not_read: list[NotRead] = []
        self._s3 = s3
        self._folder = folder
        self._source_of = source_of
        self._largest_bytes = largest_bytes
        self._refused_in_a_row = 0

    def events(self, place: Place) -> Iterator[Captured]:
        """
        Yield the events of one file; nothing when it cannot be read, which is in ``not_read`` then.

        Raises:
            ConfigError: the file is one of a journal, which is no archive.
            StoreError: S3 cannot be reached, or refuses one object after the other.
            OSError: the local disk.
        """
        try:
            with self._local(place) as path:
                file = open_captured(
                    path,
                    source=self._source_of(place),
                    object_name=place.captured_file if isinstance(place, ObjectPlace) else None,
                    spool_folder=self._folder,
                    max_uncompressed_bytes=self._largest_bytes(),
                )
                self._refused_in_a_row = 0
                yield from self._events_in(file, place)
        except StoreError as trouble:
            self._refused_in_a_row += 1
            if trouble.code not in _ABOUT_ONE_OBJECT or self._refused_in_a_row >= REFUSED_IN_A_ROW:
                raise
            self._note(place, str(trouble))
        except ConfigError:
            raise
        except ConnectorError as trouble:
            self._note(place, str(trouble))
        except FileNotFoundError:
            self._note(place, "it was removed after it had been listed")
        except PermissionError:
            self._note(place, "it may not be read")

    def _events_in(self, file: CapturedFile, place: Place) -> Iterator[Captured]:
        if file.names_sources:
            raise ConfigError(f"{place.name}: is a journal file, no archive; connector replay takes it")
        for part in file.parts():
            yield from part
        if file.torn_bytes:
            self._note(place, "it breaks off: what came before is compared")

    def _note(self, place: Place, reason: str) -> None:
        found = NotRead(place.name, reason)
        if found not in self.not_read:
            self.not_read.append(found)

    @contextmanager
    def _local(self, place: Place) -> Iterator[Path]:
        if isinstance(place, ObjectPlace):
            with place.fetched(self._s3, self._folder) as path:
                yield path
        else:
            yield place.path
