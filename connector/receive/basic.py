"""The user of an ``Authorization: Basic`` header, which is where Segment's senders put a key."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

AUTHORIZATION = "authorization"


def basic_user(headers: Mapping[str, str]) -> bytes | None:
    """
    Return the user that a request names; empty when the value cannot be read, None when there is none.

    The password is ignored: senders leave it empty. Old clients send the key without the colon
    (segment-delivery 2.2), padding is optional, and any white space may stand behind the scheme.

    Args:
        headers: names in lower case.
    """
    scheme, *value = headers.get(AUTHORIZATION, "").split(None, 1) or [""]
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode("".join(value).rstrip() + "==").partition(b":")[0]
    except (binascii.Error, ValueError):
        return b""
