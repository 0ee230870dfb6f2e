"""What lies prepared, and for which live files it is right. No effects."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from connector.prepared.days import TableDay
from connector.write.entries import canonical

FORMAT = 1
"""Changes with the columns of the files and with what they mean; another one counts as no manifest."""
SMALL_ROWS = 500_000
"""A part of fewer live rows is written together with the next new one."""

RETIRED_MS = 3_600_000
"""How long a file stays that a newer manifest does not name: somebody may be reading it."""
STRAY_MS = 86_400_000
"""How long one stays that no manifest names: somebody may be about to."""

_NAME = re.compile(r"(keys|links|groups|identities)-[0-9a-f]{16}\.parquet")


class PreparedFile(NamedTuple):
    """A file as it was written; one that differs is not read."""

    name: str
    bytes: int
    sha256: str


class Part(NamedTuple):
    """A file with the rows of several days; it may be right for some of them and out of date for others."""

    file: PreparedFile
    rows: int
    """All of them."""
    live: Mapping[TableDay, int]
    """The days it counts for, with their rows in it."""
    until_ms: int | None = None
    """No statement in it is later, and all have a time, ms since the epoch; None: unknown."""

    @property
    def live_rows(self) -> int:
        return sum(self.live.values())


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that is prepared; empty when nothing is."""

    made_with: str = ""
    """What the hashes of row ids depend on."""
    days: Mapping[TableDay, str] = field(default_factory=dict)
    """Digest of the files that each day had."""
    keys: tuple[Part, ...] = ()
    """Hashed row ids by day."""
    links: tuple[Part, ...] = ()
    """The first statement about each device by day."""
    groups: PreparedFile | None = None
    """Every row that has copies."""
    identities: PreparedFile | None = None
    """Whose each device is."""
    retired: Mapping[str, int] = field(default_factory=dict)
    """Files of earlier manifests that somebody may still read -> since when, ms since the epoch."""

    @property
    def results(self) -> list[PreparedFile]:
        """What is read when no day has changed."""
        return [file for file in (self.groups, self.identities) if file is not None]

    @property
    def files(self) -> list[PreparedFile]:
        return [*self.results, *(part.file for part in (*self.keys, *self.links))]

    def instead_of(self, before: Manifest, now_ms: int) -> Manifest:
        """This one, with what only ``before`` names as retired now."""
        own = {file.name for file in self.files}
        retired = {name: since for name, since in before.retired.items() if now_ms - since < 2 * RETIRED_MS}
        retired |= {file.name: now_ms for file in before.files if file.name not in own}
        return replace(self, retired=retired)

    def unwanted(self, ages_ms: Mapping[str, int], now_ms: int) -> list[str]:
        """Which files can go.

        Args:
            ages_ms: by name, how long every file has been there.
            now_ms: ms since the epoch, by the clock of ``instead_of``.
        """
        wanted = {file.name for file in self.files}
        for name, since_ms in self.retired.items():
            if now_ms - since_ms < RETIRED_MS:
                wanted.add(name)
        return [
            name
            for name, age_ms in ages_ms.items()
            if name not in wanted and _NAME.fullmatch(name) and (name in self.retired or age_ms >= STRAY_MS)
        ]

    def encoded(self) -> bytes:
        body = {
            "format": FORMAT,
            "made_with": self.made_with,
            "days": {str(day): digest for day, digest in self.days.items()},
            "keys": [_part_out(part) for part in self.keys],
            "links": [_part_out(part) for part in self.links],
            "groups": self.groups,
            "identities": self.identities,
            "retired": dict(self.retired),
        }
        return canonical({"prepared": body, "sha256": _sha256(body)}) + b"\n"

    @classmethod
    def decoded(cls, content: bytes, made_with: str) -> Manifest | None:
        """None when the bytes are no whole manifest of this format, or its hashes were made otherwise."""
        try:
            outer = json.loads(content)
            body = outer["prepared"]
            if (body["format"], body["made_with"], _sha256(body)) != (FORMAT, made_with, outer["sha256"]):
                return None
            return cls(
                made_with,
                {TableDay.of(day): digest for day, digest in body["days"].items()},
                tuple(_part_in(part) for part in body["keys"]),
                tuple(_part_in(part) for part in body["links"]),
                _file_in(body["groups"]),
                _file_in(body["identities"]),
                {_checked(name): int(since_ms) for name, since_ms in body["retired"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None


def without(parts: Iterable[Part], days: frozenset[TableDay]) -> tuple[Part, ...]:
    """The parts as they are when these days do not count any more; those that count for none are left out."""
    kept = (
        part._replace(live={day: rows for day, rows in part.live.items() if day not in days})
        for part in parts
    )
    return tuple(part for part in kept if part.live)


def to_merge(parts: Sequence[Part], new_rows: int) -> list[Part]:
    """The parts to write together with ``new_rows`` rows that are new: small ones, those that are mostly out
    of date, and those less than twice as large as all smaller ones. So there are never many of them, and a
    row is written anew a few times only."""
    chosen = []
    for part in sorted(parts, key=lambda part: part.live_rows):
        if part.live_rows <= max(SMALL_ROWS, 2 * new_rows) or part.rows > 2 * part.live_rows:
            chosen.append(part)
            new_rows += part.live_rows
    return chosen


def _part_out(part: Part) -> dict[str, Any]:
    return {
        "file": part.file,
        "rows": part.rows,
        "live": {str(day): rows for day, rows in part.live.items()},
        "until_ms": part.until_ms,
    }


def _part_in(value: Any) -> Part:
    file = _file_in(value["file"])
    if file is None:
        raise ValueError("a part without a file")
    live = {TableDay.of(day): int(rows) for day, rows in value["live"].items()}
    until_ms = value["until_ms"]
    return Part(file, int(value["rows"]), live, None if until_ms is None else int(until_ms))


def _file_in(value: Any) -> PreparedFile | None:
    if value is None:
        return None
    name, size, sha256 = value
    return PreparedFile(_checked(name), int(size), str(sha256))


def _checked(name: Any) -> str:
    """Only a name of ours: nothing else is ever read or removed."""
    if not _NAME.fullmatch(name):
        raise ValueError("no name of a prepared file")
    return str(name)


def _sha256(body: Any) -> str:
    return hashlib.sha256(canonical(body)).hexdigest()
