"""Cohorts as files beside the data: definitions in versions, and snapshots."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from connector import json_text
from connector.cohorts.definition import Definition, definition_of
from connector.errors import ConfigError
from connector.options import SLUG
from connector.saved import Conflict, Document, Documents, Files, slug_of
from connector.saved.documents import read_json

FOLDER = "saved/cohorts"
LATEST = "latest"
_MEMBERS = ".members.json"


class Cohort(NamedTuple):
    """One version of a definition."""

    id: str
    version: int
    definition: Definition


class Snapshot(NamedTuple):
    """Who was in a cohort at a moment; never changed afterwards."""

    cohort: str
    name: str
    """``<moment>-<first 8 digits of the hash>``."""
    label: str
    definition_version: int
    as_of: datetime
    size: int
    """People."""
    sha256: str
    """Of the ids, see ``hash_of``."""


class Cohorts:
    """The cohorts beside the data. Methods raise ``ConfigError``, and ``StoreError`` or ``OSError``."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._definitions = Documents(files, FOLDER, "cohort", "definition-")

    def all(self) -> list[Cohort]:
        """The newest definition of each, by id."""
        return [_cohort(document) for document in self._definitions.newest()]

    def get(self, name: str) -> Cohort:
        """A cohort by its id or its name. Raises ``ConfigError``: there is none."""
        return _cohort(self._definitions.get(id_of(name)))

    def save(self, definition: Definition, now: datetime, *, replace: bool = False) -> Cohort:
        """Save a definition under the id that its name gives.

        Args:
            replace: make it the next version of one that is there.

        Raises:
            ConfigError: there is one, and ``replace`` was not said.
            Conflict: somebody else saved it at the same moment.
        """
        id_ = slug_of(definition.name)
        there = self._definitions.find(id_)
        if there is not None and not replace:
            raise ConfigError(f"cohort {id_}: there is one already; --replace saves a new version of it")
        content = {**definition.stated(), "created": moment_text(now)}
        return _cohort(self._definitions.save(id_, content))

    def delete(self, name: str) -> None:
        """Note that a definition is gone; its snapshots and deliveries stay."""
        self._definitions.delete(id_of(name))

    def take(self, cohort: Cohort, people: Collection[str], as_of: datetime, label: str = "") -> Snapshot:
        """Keep who is in a cohort now.

        Who was in the newest snapshot before stays entered since then.
        """
        digest = hash_of(people)
        name = f"{as_of.astimezone(UTC):%Y-%m-%dT%H%M%S}{as_of.microsecond // 1_000:03}Z-{digest[:8]}"
        snapshot = Snapshot(cohort.id, name, label, cohort.version, as_of, len(set(people)), digest)
        earlier = self.snapshots(cohort.id)
        members = entered(people, self.members(earlier[-1]) if earlier else {}, as_of)
        self._create(f"{_folder(cohort.id)}/{name}{_MEMBERS}", members)
        self._create(f"{_folder(cohort.id)}/{name}.json", _header(snapshot))
        return snapshot

    def snapshots(self, id_: str) -> list[Snapshot]:
        """The snapshots of a cohort, the oldest first."""
        names = [info.name for info in self.files.find(f"{_folder(id_)}/")]
        headers = [name for name in names if name.endswith(".json") and not name.endswith(_MEMBERS)]
        read = [(name, read_json(self.files, name)) for name in headers]
        found = [_snapshot(name, header) for name, header in read if header is not None]
        return sorted(found, key=lambda each: (each.as_of, each.name))

    def snapshot(self, id_: str, wanted: str) -> Snapshot:
        """A snapshot by its name, its label, how its name begins, or ``latest``.

        Raises:
            ConfigError: there is none, or there are several.
        """
        there = self.snapshots(id_)
        if wanted == LATEST:
            found = there[-1:]
        else:
            found = [each for each in there if wanted in (each.name, each.label)]
            found = found or [each for each in there if each.name.startswith(wanted)]
        if len(found) == 1:
            return found[0]
        names = ", ".join(each.name for each in (found or there)) or "none"
        raise ConfigError(
            f"cohort {id_}@{wanted}: is {'not one' if found else 'no'} snapshot; there: {names}"
        )

    def members(self, snapshot: Snapshot) -> dict[str, str]:
        """uid -> when the person entered. Raises ``ConfigError``: the file is gone."""
        name = f"{_folder(snapshot.cohort)}/{snapshot.name}{_MEMBERS}"
        found = read_json(self.files, name)
        if found is None:
            raise ConfigError(f"{self.files.uri}: {name} is gone")
        return found

    def _create(self, name: str, content: dict[str, Any]) -> None:
        text = json_text.dump(content).encode()
        if not self.files.create(name, text) and self.files.read(name) != text:
            raise Conflict(f"{name}: somebody made it at the same moment")


def id_of(name: str) -> str:
    """A cohort's id: the name itself if it is one, else made of it."""
    return name if SLUG.fullmatch(name) else slug_of(name)


def hash_of(people: Collection[str]) -> str:
    """SHA-256 of the ids, sorted by code point, each followed by a newline; hex digits."""
    text = "".join(f"{uid}\n" for uid in sorted(set(people)))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def entered(people: Collection[str], before: Mapping[str, str], as_of: datetime) -> dict[str, str]:
    """uid -> since when a person has been in, sorted by uid: as before, else now."""
    now = moment_text(as_of)
    return {uid: before.get(uid, now) for uid in sorted(set(people))}


def moment_text(moment: datetime) -> str:
    """``2026-03-01T12:00:00.000Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _folder(id_: str) -> str:
    return f"{FOLDER}/{id_}/snapshots"


def _cohort(document: Document) -> Cohort:
    where = f"{FOLDER}/{document.id}/definition-{document.version}.json"
    return Cohort(document.id, document.version, definition_of(document.content, where))


def _header(snapshot: Snapshot) -> dict[str, Any]:
    return {**snapshot._asdict(), "as_of": moment_text(snapshot.as_of)}


def _snapshot(name: str, header: dict[str, Any]) -> Snapshot:
    try:
        return Snapshot(**{**header, "as_of": datetime.fromisoformat(header["as_of"])})
    except (TypeError, ValueError, KeyError):
        raise ConfigError(f"{name}: is no snapshot") from None
