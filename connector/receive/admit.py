"""A request and the keys of its source in; out the capture to keep, or why not. Judges no meaning."""

from __future__ import annotations

from connector.errors import BodyNotJson, CannotKeep, SignatureMismatch, SignatureMissing
from connector.events import Capture, RawRequest, SourceKeys
from connector.jsontext import closes
from connector.receive.basic import basic_user
from connector.receive.verify import SIGNATURE_HEADER, Proof, prove

UNKNOWN_SOURCE = "unknown_source"
NOT_CONFIGURED = "webhook_not_configured"
SECRET_MISSING = "secret_missing"  # noqa: S105  a code, not a secret

_OURS_RETRY_AFTER_SECONDS = 60
_HEADER_CHARACTERS = 256


class Unreadable(BodyNotJson):
    """The body is not JSON. ``keep`` tells whether ``capture`` is owed a place before the refusal is sent."""

    def __init__(self, capture: Capture, *, keep: bool) -> None:
        super().__init__("the body is not a JSON object or array")
        self.capture = capture
        self.keep = keep


def judging_keys(keys: SourceKeys | None) -> SourceKeys:
    """
    Return the keys that webhooks of a source are judged by. To be asked before a body is read.

    Args:
        keys: what the source accepts; None when no such source is configured.

    Raises:
        CannotKeep: ``unknown_source``, ``webhook_not_configured`` (the source says nothing of webhooks, as
            one that has write keys alone), or ``secret_missing`` (nothing of what it says is set). No body
            could be admitted, and our configuration is at fault.
    """
    if keys is None:
        raise _ours("no source of this name is configured", UNKNOWN_SOURCE)
    if keys.secrets or keys.second_values or keys.api_keys or keys.unsigned:
        return keys
    if keys.missing:
        raise secret_missing()
    raise _ours("this source is configured without a proof for webhooks", NOT_CONFIGURED)


def admit(request: RawRequest, keys: SourceKeys) -> Capture:
    """
    Return what is to be kept of a request.

    Proof is asked before shape, so that only proven bodies are called unreadable and kept as such. A request
    that an unset secret might have proven is ours to answer for: the sender is asked to come again, never
    told 401, because Segment drops what gets a 4xx (segment-delivery 1.4).

    Args:
        request: as it came in.
        keys: what its source accepts, as ``judging_keys`` returned it.

    Raises:
        CannotKeep: ``secret_missing``: our configuration is at fault.
        SignatureMissing, SignatureMismatch: the request is not from who it should be from.
        Unreadable: the body, proven as far as it was, is not JSON.
    """
    proof = _prove_or_ask_again(request, keys)
    if closes(request.body):
        return capture_of(request, proof)
    raise Unreadable(capture_of(request, proof, refused=BodyNotJson.code), keep=proof.proven != "none")


def _prove_or_ask_again(request: RawRequest, keys: SourceKeys) -> Proof:
    """Prove with what is set; where that fails, an unset secret is our fault and not the sender's."""
    try:
        proof = _prove(request, keys)
    except (SignatureMissing, SignatureMismatch):
        if keys.missing:
            raise secret_missing() from None
        raise
    if proof.proven == "none" and keys.missing and _carries_proof(request):
        raise secret_missing()
    return proof


def _carries_proof(request: RawRequest) -> bool:
    """Whether there is something that an unset secret could have judged."""
    return bool(request.headers.get(SIGNATURE_HEADER)) or basic_user(request.headers) is not None


def _prove(request: RawRequest, keys: SourceKeys) -> Proof:
    """Prove the bytes as they travelled, as a whole, and, failing that, the bytes after decoding."""
    if request.encoded is None:
        return prove(request.body, request.headers, keys)
    try:
        return prove(request.encoded, request.headers, keys, whole_body_only=True)
    except SignatureMismatch:
        return prove(request.body, request.headers, keys)


def secret_missing(message: str = "a secret of this source is not set") -> CannotKeep:
    """Our fault: the sender may be right, and we cannot tell."""
    return _ours(message, SECRET_MISSING)


def _ours(message: str, code: str) -> CannotKeep:
    return CannotKeep(message, code=code, retry_after_seconds=_OURS_RETRY_AFTER_SECONDS)


def capture_of(request: RawRequest, proof: Proof, refused: str | None = None) -> Capture:
    """Return a request as it is kept: of its headers only those two that say what the body is."""
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
