"""JSON documents in numbered versions: each version is a file that is created once and never changed."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from connector import json_text
from connector.errors import ConfigError, ConnectorError
from connector.saved.files import Files
from connector.saved.names import checked_id


class Conflict(ConnectorError):
    """Somebody else saved a version at the same moment."""

    code = "conflict"
    retryable = True


class Document(NamedTuple):
    """One version of a document."""

    id: str
    version: int
    """From 1."""
    content: dict[str, Any]
    """Without ``id`` and ``version``."""


class Documents:
    """
    Documents of one kind below a folder: ``<folder>/<id>/<stem><version>.json``.

    A deletion is a version too, so nothing that was saved is lost. Every method raises ``ConfigError`` for a
    file that is no document, and ``StoreError`` or ``OSError`` as the place does.
    """

    def __init__(self, files: Files, folder: str, what: str, stem: str = "") -> None:
        """``what``: what a document is called, for people: ``saved report``."""
        self._files = files
        self._folder = folder
        self._what = what
        self._name = re.compile(
            rf"{re.escape(folder)}/(?P<id>[^/]+)/{re.escape(stem)}(?P<version>[1-9][0-9]*)\.json"
        )
        self._stem = stem

    def newest(self) -> list[Document]:
        """The newest version of each document, by id."""
        newest: dict[str, int] = {}
        for id_, version in self._found(f"{self._folder}/"):
            newest[id_] = max(version, newest.get(id_, 0))
        found = (self._read(id_, newest[id_]) for id_ in sorted(newest))
        return [document for document in found if document is not None]

    def find(self, id_: str) -> Document | None:
        """The newest version; None when there is none or it was deleted."""
        newest = self._newest(checked_id(id_))
        return self._read(id_, newest) if newest else None

    def get(self, id_: str, version: int | None = None) -> Document:
        """A version, by default the newest. Raises ``ConfigError``: there is none, or it was deleted."""
        found = self.find(id_) if version is None else self._read(checked_id(id_), version)
        if found is None:
            which = "" if version is None else f", version {version}"
            raise ConfigError(f"{self._what} {id_}{which}: there is none in {self._files.uri}")
        return found

    def save(self, id_: str, content: dict[str, Any]) -> Document:
        """
        Save the next version; the content must name nothing ``id`` or ``version``.

        Raises:
            Conflict: another version was saved since this call began.
        """
        version = self._newest(checked_id(id_)) + 1
        text = json_text.dump({"id": id_, "version": version, **content}).encode()
        name = self._path(id_, version)
        if not self._files.create(name, text) and self._files.read(name) != text:
            raise Conflict(f"{self._what} {id_}: somebody saved it at this moment; look, and save again")
        return Document(id_, version, content)

    def delete(self, id_: str) -> None:
        """Note that a document is gone. Raises ``ConfigError``: there is none; ``Conflict``."""
        self.get(id_)
        self.save(id_, {"deleted": True})

    def _found(self, prefix: str) -> list[tuple[str, int]]:
        matches = (self._name.fullmatch(info.name) for info in self._files.find(prefix))
        return [(match["id"], int(match["version"])) for match in matches if match]

    def _newest(self, id_: str) -> int:
        return max((version for _, version in self._found(f"{self._folder}/{id_}/{self._stem}")), default=0)

    def _path(self, id_: str, version: int) -> str:
        return f"{self._folder}/{id_}/{self._stem}{version}.json"

    def _read(self, id_: str, version: int) -> Document | None:
        content = read_json(self._files, self._path(id_, version))
        if content is None or content.pop("deleted", False):
            return None
        content.pop("id", None)
        content.pop("version", None)
        return Document(id_, version, content)


def read_json(files: Files, name: str) -> dict[str, Any] | None:
    """The object in a file; None: there is no such file. Raises ``ConfigError``: it holds something else."""
    raw = files.read(name)
    if raw is None:
        return None
    try:
        value = json_text.load(raw.decode())
    except (json_text.NotJson, UnicodeDecodeError):
        value = None
    if not isinstance(value, dict):
        raise ConfigError(f"{files.uri}: {name} is damaged: it should hold a JSON object")
    return value
