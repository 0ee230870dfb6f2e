"""The settings that Segment's browser and mobile SDKs ask for before their first event."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connector.events import Reply

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


def sdk_settings(write_key: str, environ: Mapping[str, Any]) -> Reply:
    """
    Return the settings that make an SDK send here, to the host under which it asked.

    One integration, ``Segment.io``: with a second one the browser's SDK would fetch code from elsewhere.
    No delivery strategy is named, so events leave one by one as they happen: a batch that waits in a page is
    lost with it. The SDK's own measurements are switched off (they would go to Segment).

    An unusable host is an error rather than settings without one: then an SDK would send to Segment.

    Mobile SDKs read ``apiHost`` and say https whatever ``protocol`` is; what they do not find has a default.

    Source: @segment/analytics-next 1.84.3, src/browser/settings.ts, src/plugins/segmentio/index.ts and
    src/core/stats/remote-metrics.ts; analytics-kotlin 03a356f, Settings.kt; analytics-swift 0a61eb8,
    Settings.swift.
    """
    host = environ.get("HTTP_HOST", "")
    if not _HOST.fullmatch(host):
        return Reply(400, {"code": "bad_host", "message": "the request names no host that could be used"})
    segment = {"apiKey": write_key, "apiHost": f"{host}/v1", "protocol": _scheme(environ)}
    return Reply(
        200,
        {"integrations": {"Segment.io": segment}, "metrics": {"sampleRate": 0}},
        {"Cache-Control": "no-store"},
    )


def _scheme(environ: Mapping[str, Any]) -> str:
    """The scheme the SDK used: behind a proxy that ends TLS, the one it reports."""
    reported = environ.get("HTTP_X_FORWARDED_PROTO", "").partition(",")[0].strip().lower()
    return "https" if reported == "https" or environ.get("wsgi.url_scheme") == "https" else "http"
