"""
Run by ``python -I -S`` with a bundle and boto3 alone: import a handler, do its work on local data, tell all.

Arguments: the bundle, the folder of boto3, the handler's module, a folder for data. The last line printed is
one JSON object: seconds of the import, modules from elsewhere, what of the bundle was used, what was done.
"""

import hashlib
import hmac
import importlib
import json
import os
import sys
import time
from pathlib import Path

BUNDLE, RUNTIME, HANDLER, WORK = sys.argv[1:]


def settings():
    from connector.config import load_settings

    return load_settings(data=f"{WORK}/data", journal=Path(WORK) / "journal")


def receive():
    """A signed request, up to a journal that nobody answers for."""

    class Context:
        aws_request_id = "1"

    secret = os.environ["WEB_SECRET"].encode()
    http = {"method": "POST", "path": "/webhook/web", "sourceIp": "192.0.2.1", "protocol": "HTTP/1.1"}
    signature = hmac.new(secret, b"{}", hashlib.sha1).hexdigest()
    request = {
        "version": "2.0", "routeKey": "$default", "rawPath": "/webhook/web", "rawQueryString": "",
        "headers": {"host": "x", "content-type": "application/json", "x-signature": signature},
        "requestContext": {"http": {**http, "userAgent": "x"}}, "isBase64Encoded": False, "body": "{}",
    }  # fmt: skip
    return sys.modules[HANDLER].handler(request, Context())["statusCode"]


def write(files=1):
    """Captured files through mapping and schemas into Parquet; how many rows."""
    from connector.journal.archive import Days
    from connector.journal.listing import Listing
    from connector.rounds import Writer
    from connector.wiring import configure, s3_config

    importlib.import_module("connector.mapping.liquid")
    chosen = settings()
    writer, stored = Writer(chosen, configure(chosen)), 0
    for number in range(files):
        events = Path(WORK) / f"events-{number}.ndjson"
        events.write_text("".join(f"{json.dumps(event(number, at))}\n" for at in range(9)), encoding="utf-8")
        listing = Listing([str(events)], Days(None, None), s3_config(chosen))
        stored += writer.write(listing, source="web").counts.stored
    return stored


def event(file, at):
    properties = {"product_id": "p", "price": 1.5}
    named = {"type": "track", "event": "Product Viewed", "messageId": f"m{file}-{at}", "userId": "u"}
    return {**named, "timestamp": "2026-11-20T10:00:00Z", "properties": properties}


def compact():
    """Many small files of a day become one: how many days that happened to, what failed."""
    from connector.rounds.passes import Passes

    class Told:
        days = failures = 0

        def count(self, done):
            self.days += done.days

        def failed(self):
            self.failures += 1

    write(files=12)
    told = Told()
    Passes(settings(), told).next()
    return {"days": told.days, "failures": told.failures}


def configured():
    return settings().aws.journal


def origins(standard):
    """Modules from neither bundle, runtime nor the standard library; and what of the bundle was loaded."""
    homes = (f"{BUNDLE}/", f"{RUNTIME}/", *standard)
    files = {
        name: module.__file__
        for name, module in sorted(sys.modules.items())
        if getattr(module, "__file__", None) and name not in ("__main__", "__mp_main__")
    }
    strangers = [f"{name}: {file}" for name, file in files.items() if not file.startswith(homes)]
    own = {file.removeprefix(homes[0]).split("/")[0] for file in files.values() if file.startswith(homes[0])}
    return strangers, sorted(own)


def main():
    sys.path[:] = [path for path in sys.path if path and "site-packages" not in path]
    standard = [f"{os.path.realpath(path)}/" for path in sys.path]
    sys.path[:0] = [BUNDLE, RUNTIME]
    begun = time.perf_counter()
    importlib.import_module(HANDLER)
    seconds = time.perf_counter() - begun
    work = {"receiver": receive, "writer": write, "reconcile": configured, "janitor": compact}
    did = work[HANDLER.rpartition(".")[2]]()
    strangers, used = origins(standard)
    print(json.dumps({"seconds": seconds, "strangers": strangers, "used": used, "did": did}))


main()
