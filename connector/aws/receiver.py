"""What Lambda loads as the receiver: everything is made once, when the module is imported (cold start)."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from typing import Any

Invocation = Callable[[dict[str, Any], object], Mapping[str, Any]]


def _start() -> Invocation:
    """Load and make everything without looking for garbage, which is a tenth of the cold start: all of it
    stays."""
    gc.disable()
    try:
        from connector.aws.invocations import make_receiver
        from connector.aws.log import log_as_json

        log = log_as_json("receiver")
        receiver = make_receiver()
    finally:
        gc.freeze()
        gc.enable()

    def answer(event: dict[str, Any], context: object) -> Mapping[str, Any]:
        log.append_keys(function_request_id=getattr(context, "aws_request_id", None))
        return receiver.answer(event, context)

    return answer


handler = _start()
"""Answers one request of a Function URL or an HTTP API: ``handler(event, context)``."""
