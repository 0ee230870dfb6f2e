"""Annotations: what happened at a moment, drawn on every chart over time whose range holds it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from connector.errors import ConfigError
from connector.report.question import Moment
from connector.saved.documents import Document, Documents
from connector.saved.files import Files
from connector.saved.names import slug_of

FOLDER = "saved/annotations"
_LONGEST_ID = 60
"""Leaves room for a number behind it."""


class Annotation(BaseModel):
    """Source: analytics definitions, section 8."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    at: Moment
    text: str
    tags: tuple[str, ...] = ()
    created: Moment


class Annotations:
    """The annotations beside the data. Methods raise as those of ``Documents`` do."""

    def __init__(self, files: Files) -> None:
        self._documents = Documents(files, FOLDER, "annotation")

    def list(
        self, from_: datetime | None = None, to: datetime | None = None, tag: str | None = None
    ) -> list[Annotation]:
        """Those from ``from_`` on and before ``to``, by time; with a tag only those that have it."""
        everything = (_annotation(document) for document in self._documents.newest())
        found = [
            each
            for each in everything
            if (from_ is None or each.at >= from_) and (to is None or each.at < to)
            if tag is None or tag in each.tags
        ]
        return sorted(found, key=lambda each: (each.at, each.id))

    def add(self, at: datetime, text: str, now: datetime, tags: Iterable[str] = ()) -> Annotation:
        """Add one under an id of its day and text, which may have a number behind it.

        Args:
            at: with a time zone.
        """
        base = slug_of(f"{at.astimezone(UTC):%Y-%m-%d} {text}")[:_LONGEST_ID].rstrip("-")
        id_, number = base, 1
        while self._documents.find(id_) is not None:
            number += 1
            id_ = f"{base}-{number}"
        content = {
            "at": at.isoformat(timespec="milliseconds"),
            "text": text,
            "tags": list(dict.fromkeys(tags)),
            "created": now.isoformat(timespec="milliseconds"),
        }
        return _annotation(self._documents.save(id_, content))

    def remove(self, id_: str) -> None:
        """Raises ``ConfigError``: there is none."""
        self._documents.delete(id_)


def _annotation(document: Document) -> Annotation:
    try:
        return Annotation.model_validate({**document.content, "id": document.id})
    except ValidationError as faults:
        keys = ", ".join(sorted({str(fault["loc"][0]) for fault in faults.errors() if fault["loc"]}))
        where = f"{FOLDER}/{document.id}/{document.version}.json"
        raise ConfigError(f"{where}: is no annotation; look at {keys}") from None
