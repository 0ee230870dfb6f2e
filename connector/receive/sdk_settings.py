"""The settings that Segment's browser and mobile SDKs ask for before their first event."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from connector.events import Reply

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_LOOPBACK = re.compile(r"(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?", re.IGNORECASE)


class Address(NamedTuple):
    """Where SDKs reach this receiver."""

    protocol: str
    host: str
    """With its port, and a path where the receiver lies below one; no slash at the end."""


def address_of(environ: Mapping[str, Any], public_url: str | None) -> Address | None:
    """
    Return the address that is configured, else the one that was asked; None when that is unusable.

    Args:
        public_url: ``https://lake.example``, as the world outside sees this receiver. What ``Host`` says is
            the sender's word, and a proxy may have put its own name there.
    """
    if public_url:
        url = urlsplit(public_url)
        return Address(url.scheme, f"{url.netloc}{url.path}".rstrip("/"))
    host = environ.get("HTTP_HOST", "")
    return Address(_scheme(environ), host) if _HOST.fullmatch(host) else None


def is_loopback(host: str) -> bool:
    """Whether a host, with or without a port, is a name of the machine that asks."""
    return _LOOPBACK.fullmatch(host) is not None


def sdk_settings(write_key: str, address: Address | None) -> Reply:
    """
    Return the settings that make an SDK send to an address.

    One integration, ``Segment.io``: with a second one the browser's SDK would fetch code from elsewhere.
    No delivery strategy is named, so events leave one by one as they happen: a batch that waits in a page is
    lost with it. The SDK's own measurements are switched off (they would go to Segment).

    An unusable host is an error rather than settings without one: then an SDK would send to Segment.

    Mobile SDKs read ``apiHost`` and say https whatever ``protocol`` is; what they do not find has a default.

    Source: @segment/analytics-next 1.84.3, src/browser/settings.ts, src/plugins/segmentio/index.ts and
    src/core/stats/remote-metrics.ts; analytics-kotlin 03a356f, Settings.kt; analytics-swift 0a61eb8,
    Settings.swift.
    """
    if address is None:
        return Reply(400, {"code": "bad_host", "message": "the request names no host that could be used"})
    segment = {"apiKey": write_key, "apiHost": f"{address.host}/v1", "protocol": address.protocol}
    return Reply(
        200,
        {"integrations": {"Segment.io": segment}, "metrics": {"sampleRate": 0}},
        {"Cache-Control": "no-store"},
    )


def _scheme(environ: Mapping[str, Any]) -> str:
    """The scheme the SDK used: behind a proxy that ends TLS, the one it reports."""
    reported = environ.get("HTTP_X_FORWARDED_PROTO", "").partition(",")[0].strip().lower()
    return "https" if reported == "https" or environ.get("wsgi.url_scheme") == "https" else "http"
