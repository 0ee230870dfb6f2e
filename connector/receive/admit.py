"""A request and the keys of its source in; out the capture to keep, or why not. Judges no meaning."""

from __future__ import annotations

from connector.errors import BodyNotJson, CannotKeep, SignatureMismatch, SignatureMissing
from connector.events import Capture, RawRequest, SourceKeys
from connector.jsontext import closes
from connector.receive.verify import SIGNATURE_HEADER, Proof, prove

UNKNOWN_SOURCE = "unknown_source"
SECRET_MISSING = "secret_missing"  # noqa: S105  a code, not a secret

_OURS_RETRY_AFTER_SECONDS = 60
_HEADER_CHARACTERS = 256


class Unreadable(BodyNotJson):
    """The body is not JSON. ``keep`` tells whether ``capture`` is owed a place before the refusal is sent."""

    def __init__(self, capture: Capture) -> None:
        super().__init__("the body is not a JSON object or array")
        self.capture = capture
        self.keep = capture.proven != "none"


def admit(request: RawRequest, keys: SourceKeys | None) -> Capture:
    """
    Return what is to be kept of a request.

    The order is source, proof, shape, so that only proven bodies are called unreadable and kept as such.
    A request that an unset secret might have proven is ours to answer for: the sender is asked to come
    again, never told 401, because Segment drops what gets a 4xx (segment-delivery 1.4).

    Args:
        request: as it came in.
        keys: what its source accepts; None when no such source is configured.

    Raises:
        CannotKeep: ``unknown_source`` or ``secret_missing``: our configuration is at fault.
        SignatureMissing, SignatureMismatch: the request is not from who it should be from.
        Unreadable: the body, proven as far as it was, is not JSON.
    """
    if keys is None:
        raise CannotKeep(
            "no source of this name is configured",
            code=UNKNOWN_SOURCE,
            retry_after_seconds=_OURS_RETRY_AFTER_SECONDS,
        )
    proof = _prove_or_ask_again(request, keys)
    if closes(request.body):
        return _capture(request, proof)
    raise Unreadable(_capture(request, proof, refused=BodyNotJson.code))


def _prove_or_ask_again(request: RawRequest, keys: SourceKeys) -> Proof:
    """Prove with what is set; where that fails, an unset secret is our fault and not the sender's."""
    if not (keys.secrets or keys.second_values or keys.unsigned):
        raise _secret_missing()
    try:
        proof = _prove(request, keys)
    except (SignatureMissing, SignatureMismatch):
        if keys.missing:
            raise _secret_missing() from None
        raise
    if proof.proven == "none" and keys.missing and request.headers.get(SIGNATURE_HEADER):
        raise _secret_missing()
    return proof


def _prove(request: RawRequest, keys: SourceKeys) -> Proof:
    """Prove the bytes as they travelled and, failing that, the bytes after decoding."""
    if request.encoded is None:
        return prove(request.body, request.headers, keys)
    try:
        return prove(request.encoded, request.headers, keys)
    except SignatureMismatch:
        return prove(request.body, request.headers, keys)


def _secret_missing() -> CannotKeep:
    return CannotKeep(
        "a secret of this source is not set",
        code=SECRET_MISSING,
        retry_after_seconds=_OURS_RETRY_AFTER_SECONDS,
    )


def _capture(request: RawRequest, proof: Proof, refused: str | None = None) -> Capture:
    return Capture(
        source=request.source,
        route=request.route,
        received_at_ms=request.received_at_ms,
        body=request.body,
        proven=proof.proven,
        key=proof.key,
        content_type=_header(request, "content-type"),
        content_encoding=_header(request, "content-encoding"),
        refused=refused,
    )


def _header(request: RawRequest, name: str) -> str | None:
    """A header as sent, cut where it would make the line before a frame unreasonable."""
    value = request.headers.get(name)
    return None if value is None else value[:_HEADER_CHARACTERS]
