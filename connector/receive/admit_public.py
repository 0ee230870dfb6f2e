"""A request with a write key: whose it is, and what is to be kept of it. A write key proves nothing."""

from __future__ import annotations

from dataclasses import replace

from connector.errors import BodyNotJson, UnknownWriteKey
from connector.events import Capture, RawRequest, SourceKeys
from connector.receive.admit import Unreadable, capture_of, secret_missing
from connector.receive.sources import Sources
from connector.receive.verify import Proof

_NOTHING = Proof("none", None)


def source_of(sources: Sources, *keys: bytes | None) -> SourceKeys:
    """
    Return the source of the first write key that is known.

    Args:
        keys: as the request gives them, the one that counts first; None and empty where it gives none.

    Raises:
        UnknownWriteKey: none is known.
        CannotKeep: ``secret_missing``: it may be one that is configured but not set. SDKs drop what gets a
            401 (segment-delivery 2.2), so that is ours to answer for.
    """
    given = [key for key in keys if key]
    for key in given:
        if found := sources.with_write_key(key):
            return found
    if given and sources.missing_write_keys:
        raise secret_missing("a write key is configured but not set, and this may be it")
    raise UnknownWriteKey("no source has this write key" if given else "the request carries no write key")


def admit_public(request: RawRequest, *, is_json: bool, key_in_header: bool) -> Capture:
    """
    Return what is to be kept of a request whose source is known by its write key.

    Args:
        is_json: the body is one object or array by its brackets at least.
        key_in_header: the key came in the header. Only then is a body that cannot be read known to be meant
            for the source, and owed a place among the refused.

    Raises:
        Unreadable: the body is not JSON.
    """
    capture = replace(capture_of(request, _NOTHING), public=True)
    if is_json:
        return capture
    raise Unreadable(replace(capture, refused=BodyNotJson.code), keep=key_in_header)
