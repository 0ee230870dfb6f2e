"""What Lambda loads as the receiver: everything is made once, when the module is imported (cold start)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.aws.invocations import make_receiver
from connector.aws.log import log_as_json

_log = log_as_json("receiver")
_receiver = make_receiver()


def handler(event: dict[str, Any], context: object) -> Mapping[str, Any]:
    """Answer one request of a Function URL or an HTTP API."""
    _log.append_keys(function_request_id=getattr(context, "aws_request_id", None))
    return _receiver.answer(event, context)
