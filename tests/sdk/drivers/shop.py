"""The Python SDK told over a pipe what to send: settings, then lists of calls, each flushed."""

from __future__ import annotations

import json
import logging
import random
import sys
from datetime import datetime
from typing import Any

from segment.analytics import Client

ARGUMENTS = {
    "userId": "user_id", "anonymousId": "anonymous_id", "previousId": "previous_id", "groupId": "group_id"
}  # fmt: skip


PAUSES = 876
"""The previous version dices its pauses between tries; with this seed none of the first six is above 2 s."""


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


class Requests(logging.Handler):
    """Counts the SDK's requests by what it logs before each: it has no hook for them."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg.startswith("making request"):
            say(request=True)


def failed(error: Any, lost: list[Any]) -> None:
    say(failed=len(lost), status=getattr(error, "status", None), why=str(error))


def make_call(client: Client, call: dict[str, Any]) -> None:
    arguments = {ARGUMENTS.get(name, name): value for name, value in call.items() if name != "type"}
    if "timestamp" in arguments:
        arguments["timestamp"] = datetime.fromisoformat(arguments["timestamp"])
    getattr(client, call["type"])(**arguments)


def main() -> None:
    settings = json.loads(sys.stdin.readline())
    log = logging.getLogger("segment")
    log.setLevel(logging.DEBUG)
    log.addHandler(Requests())
    options = {"upload_size": settings["batch"], "upload_interval": 0.1, "gzip": settings.get("gzip", False)}
    random.seed(PAUSES)
    client = Client(settings["writeKey"], host=settings["host"], on_error=failed, **options)
    for line in sys.stdin:
        for call in json.loads(line):
            make_call(client, call)
        client.flush()
        say(flushed=True)
    client.shutdown()


main()
