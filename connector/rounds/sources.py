"""Who sent the events of a captured file that does not say it itself."""

from __future__ import annotations

import logging
import re

from connector.config import Settings
from connector.journal.places import Place

log = logging.getLogger("connector.writer")

_NOT_IN_A_NAME = re.compile(r"[^a-z0-9_-]+")
_MOST_CHARACTERS = 64


class SourceNames:
    """Names sources as every other door does: by the configuration, else as the person who asks says.

    Args:
        given: name for what the configuration does not know; None: a folder of Segment's archive is named
            after its id, and any other file ``file``.
    """

    def __init__(self, settings: Settings, given: str | None) -> None:
        self._settings = settings
        self._given = given
        self._names: dict[str, str] = {}

    def of(self, place: Place) -> str:
        if place.source_id is None:
            return self._given or "file"
        if place.source_id not in self._names:
            self._names[place.source_id] = self._name(place.source_id)
        return self._names[place.source_id]

    def _name(self, source_id: str) -> str:
        name = self._settings.source_of_id(source_id) or self._given
        if name is None:
            name = slug(source_id)
            log.warning(
                "no source has Segment's id %s, so its events are named %s; "
                "to name them: sources.<name>.source_ids: [%s], or --source",
                source_id, name, source_id,
            )  # fmt: skip
        return name


def slug(source_id: str) -> str:
    """A source's name out of Segment's id: ``[a-z0-9][a-z0-9_-]*``, at most 64 characters."""
    return _NOT_IN_A_NAME.sub("-", source_id.lower()).lstrip("-_")[:_MOST_CHARACTERS] or "file"
