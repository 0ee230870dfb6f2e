"""Raw bytes, headers and secrets in; out what they prove. Bytes are hashed as they came, never rewritten."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from connector.errors import SignatureMismatch, SignatureMissing
from connector.events import Body, Proven, SourceKeys
from connector.jsontext import first_element, is_array, skip_blanks
from connector.receive.basic import basic_user

SIGNATURE_HEADER = "x-signature"

FIRST_ELEMENT_BYTES = 2 * 1024 * 1024
"""How far the end of element 0 is looked for, before anything is proven; Segment's events end at 32 KB."""


class Proof(NamedTuple):
    """How far a request is proven, and by which secret."""

    proven: Proven
    key: int | None
    """Index of the secret in ``SourceKeys.secrets``; None when none of these took part."""


def prove(
    body: Body, headers: Mapping[str, str], keys: SourceKeys, *, whole_body_only: bool = False
) -> Proof:
    """
    Return what the signature, the second header and the Basic key prove about a body.

    ``X-Signature`` is the hex HMAC-SHA1 of the whole body or, for an array, of the text of element 0
    alone, if it ends within ``FIRST_ELEMENT_BYTES``; every secret is tried. A right second header proves
    every element, also of a request without a signature (Segment does not sign a batch whose first event is
    empty), but never excuses a wrong signature. Beside a right signature a missing or wrong second header
    changes nothing: the signature proves what it covers. The key of a Developer-Center sender, the user of
    its Basic header, is judged as the second header is; one of the two is enough.

    Args:
        body: the bytes as they came.
        headers: names in lower case, values as WSGI gives them (bytes read as Latin-1).
        keys: what the source accepts.
        whole_body_only: a signature of element 0 does not count: these bytes are decoded before they are
            kept, so their element 0 says nothing of what is.

    Returns:
        ``all`` or ``first``; ``none`` only when the source takes unsigned requests and this one carries
        nothing that can be judged.

    Raises:
        SignatureMissing: a proof is needed and the request carries none.
        SignatureMismatch: the request carries a proof and it is wrong.

    Source: segment-delivery 1.1 and 1.2, webhook-actions 2.
    """
    header_right = _judge_headers(headers, keys)
    sent = headers.get(SIGNATURE_HEADER, "").strip()
    if sent and keys.secrets:
        parts = _signable_parts(body, whole_body_only)
        signature = _judge_signature(parts, sent, keys.secrets)
        return Proof("all", signature.key) if header_right else signature
    if header_right:
        return Proof("all", None)
    if header_right is False:
        raise SignatureMismatch("the secret header does not have a value that this source accepts")
    if keys.unsigned:
        return Proof("none", None)
    raise SignatureMissing("the request carries no proof of its sender")


def _judge_headers(headers: Mapping[str, str], keys: SourceKeys) -> bool | None:
    """Whether one of the secret headers is right; None when there is none that could be judged."""
    second = headers.get(keys.second_header) if keys.second_header else None
    user = basic_user(headers) if keys.api_keys else None
    judged = []
    if second is not None:
        judged.append(_equals_any(_raw(second), keys.second_values))
    if user is not None:
        judged.append(_equals_any(user, keys.api_keys))
    return any(judged) if judged else None


def _judge_signature(
    parts: Iterable[tuple[Proven, memoryview]], sent: str, secrets: tuple[bytes, ...]
) -> Proof:
    """Try every secret on every part that may be signed, and stop early for none of them."""
    found: Proof | None = None
    for proven, part in parts:
        with part:
            for key, secret in enumerate(secrets):
                expected = hmac.new(secret, part, "sha1").hexdigest().encode()
                right = _equals_any(_raw(sent.lower()), (expected,))
                found = Proof(proven, key) if right and found is None else found
    if found is None:
        raise SignatureMismatch("the signature does not match the body under any secret of this source")
    return found


def _signable_parts(body: Body, whole_body_only: bool) -> Iterator[tuple[Proven, memoryview]]:
    """The whole body, then element 0 of an array: what a signature may cover, the stronger proof first."""
    yield "all", memoryview(body)
    span = None if whole_body_only or not is_array(body) else _near_first_element(body)
    if span is not None:
        with memoryview(body) as whole:
            yield "first", whole[span[0] : span[1]]


def _near_first_element(body: Body) -> tuple[int, int] | None:
    """Where element 0 of an array lies; None when there is none or its end is too far away."""
    if len(body) <= FIRST_ELEMENT_BYTES:
        return first_element(body)
    head = body[:FIRST_ELEMENT_BYTES]
    span = first_element(head)
    return span if span and skip_blanks(head, span[1]) < len(head) else None


def _raw(sent: str) -> bytes:
    """A header's value as it travelled."""
    return sent.encode("latin-1", "replace")


def _equals_any(sent: bytes, accepted: tuple[bytes, ...]) -> bool:
    """Compare with every accepted value, in a time that does not tell which one was near."""
    return bool(sum([hmac.compare_digest(sent, each) for each in accepted]))
