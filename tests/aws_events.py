"""HTTP requests as Lambda hands them on, in the payload format 2.0."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

CONTEXT = SimpleNamespace(
    aws_request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    function_name="receiver",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:receiver",
)


def url_event(
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    as_base64: bool | None = None,
    host: str = "abcdefg.lambda-url.us-east-1.on.aws",
) -> dict[str, Any]:
    """
    An event of a Function URL.

    Args:
        path: with its query, if any.
        as_base64: None: text where the body is UTF-8 that nobody compressed, as the service decides by the
            content type.
    """
    given = {name.lower(): value for name, value in (headers or {}).items()}
    raw_path, _, query = path.partition("?")
    encoded = not _is_text(body) if as_base64 is None else as_base64
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(raw_path),
        "rawQueryString": query,
        "headers": {"host": host, "content-length": str(len(body)), **given},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abcdefg",
            "domainName": host,
            "http": {
                "method": method,
                "path": unquote(raw_path),
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "Segment.io",
            },
            "requestId": CONTEXT.aws_request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": "22/Nov/2026:12:05:11 +0000",
            "timeEpoch": 1_795_349_111_000,
        },
        **({"body": base64.b64encode(body).decode() if encoded else body.decode()} if body else {}),
        "isBase64Encoded": encoded and bool(body),
    }


def api_event(
    method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """An event of an HTTP API: the route's key and what API Gateway adds on its way."""
    event = url_event(method, path, body, headers, host="lake.example")
    event["routeKey"] = event["requestContext"]["routeKey"] = "ANY /{proxy+}"
    event["pathParameters"] = {"proxy": event["rawPath"].lstrip("/")}
    event["headers"] |= {
        "x-amzn-trace-id": "Root=1-67891233-abcdef012345678912345678",
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    return event


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
