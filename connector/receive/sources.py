"""The configured sources: found by the name in a path, or by a write key."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from connector.errors import ConfigError
from connector.events import SourceKeys

DEVELOPMENT_SOURCE = "sdk"
"""Whose events are those of any write key while no source is configured."""


class Sources:
    """What every source accepts. Immutable, so threads share it; its repr tells nothing."""

    configured = True
    """False: nobody has configured a source, so everything is taken."""

    def __init__(self, keys: Iterable[SourceKeys]) -> None:
        """
        Raises:
            ConfigError: one write key belongs to two sources. Their names are told, never the key.
        """
        self._by_name = {each.name: each for each in keys}
        self._by_digest: dict[bytes, SourceKeys] = {}
        for each in self._by_name.values():
            for key in each.write_keys:
                owner = self._by_digest.setdefault(_digest(key), each)
                if owner is not each:
                    raise ConfigError(f"sources {owner.name} and {each.name} share one of their write_keys")
        self.missing_write_keys = tuple(
            reference for each in self._by_name.values() for reference in each.missing_write_keys
        )
        """Names of the write keys that are configured but not set, of all sources."""

    @staticmethod
    def development() -> Sources:
        """Sources for a receiver that nobody has configured: any name, unsigned, and any write key."""
        return _Development()

    def named(self, slug: str) -> SourceKeys | None:
        """Return what the source with this slug accepts; None when it is not configured."""
        return self._by_name.get(slug)

    def with_write_key(self, key: bytes) -> SourceKeys | None:
        """
        Return the source of a write key, or None.

        Looked up by its SHA-256, so that the time taken tells nothing of how near a guess was.
        """
        return self._by_digest.get(_digest(key))


class _Development(Sources):
    configured = False

    def __init__(self) -> None:
        super().__init__(())
        self._sdk = SourceKeys(DEVELOPMENT_SOURCE, unsigned=True)

    def named(self, slug: str) -> SourceKeys | None:
        return SourceKeys(slug, unsigned=True)

    def with_write_key(self, key: bytes) -> SourceKeys | None:
        return self._sdk


def _digest(key: bytes) -> bytes:
    return sha256(key).digest()
