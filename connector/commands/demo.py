"""``connector demo``: the main job for real, on this machine, in seconds."""

from __future__ import annotations

import hmac
import http.client
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import orjson

from connector.commands.demo_recipe import show_recipe
from connector.config import Settings, load_settings
from connector.errors import CannotKeep, ConfigError
from connector.sample import store_events
from connector.serve import free_port
from connector.terminal import out
from connector.wiring import open_data

_HOST = "127.0.0.1"
_MARK = ".demo"
_BATCH = 50
_SENDERS = 4
_START_SECONDS = 30
_SHARE_SENT_SINGLY = 0.05
_OTHERS = ("CONNECTOR_", "AWS_")
"""Variables of the caller's own lake and account: none of the demo's business."""
_FRAGMENTS = (b'{"product_id":"p-1","price":19.99}', b'{"cart_id":"c-7","coupon":"SPRING"}')
"""What a webhook sends when its mapping forwards only ``properties``: kept, and rejected with a reason."""


class Sent(NamedTuple):
    """What the demo sent."""

    events: int
    requests: int
    seconds: float


def run(folder: Path, people: int, seed: int, *, in_s3: bool = False) -> int:
    """Run the demo; exit code 0 when the audit holds.

    Args:
        in_s3: the tables lie in a SeaweedFS of the demo's own, in ``folder`` only its files and the journal.

    Raises:
        ConfigError: the folder holds something that no demo made, or SeaweedFS is not installed.
    """
    _make_anew(folder)
    with _lake(folder, in_s3) as lake:
        return _run(folder, lake, people, seed)


@contextmanager
def _lake(folder: Path, in_s3: bool) -> Iterator[dict[str, str]]:
    """The variables that say where the data folder is."""
    if not in_s3:
        yield {"CONNECTOR_DATA": str(folder)}
        return
    from connector.s3.weed import start_seaweed

    with start_seaweed(folder / "seaweedfs") as server:
        out.print(f"store     SeaweedFS at {server.endpoint}, bucket {server.bucket}", markup=False)
        yield {
            **server.environment,
            "CONNECTOR_DATA": f"s3://{server.bucket}/lake",
            "CONNECTOR_S3__ENDPOINT": server.endpoint,
            "CONNECTOR_JOURNAL": str(folder / "journal"),
        }


def _run(folder: Path, lake: dict[str, str], people: int, seed: int) -> int:
    secret = secrets.token_hex(16)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(_OTHERS)},
        **lake,
        "CONNECTOR_SOURCES": json.dumps({"demo": {"secrets": ["env:DEMO_SECRET"]}}),
        "DEMO_SECRET": secret,
    }
    with _server(environment, folder / "serve.log") as port:
        out.print(f"receiver  http://{_HOST}:{port}/webhook/demo, signed with a shared secret")
        sent = _send_all(port, secret.encode(), people, seed)
        rate = sent.events / sent.seconds
        out.print(
            f"sent      {sent.events:,} events in {sent.requests:,} signed requests, "
            f"all answered 200 after the bytes were on disk ({rate:,.0f} events/s)"
        )
        forged = _post(http.client.HTTPConnection(_HOST, port, timeout=10), b'{"type":"track"}', "0" * 40)
        out.print(f"forged    one request with a wrong signature was answered {forged}")
        if _connector(environment, "drain") != 0:
            raise CannotKeep(f"the events could not be written; see above and {folder / 'serve.log'}")
    out.print("stopped   requests finished, journal closed, exit code 0\n")
    for name in [name for name in os.environ if name.startswith(_OTHERS)]:
        del os.environ[name]
    os.environ.update(lake)
    settings = load_settings()
    show_recipe(settings, folder / "recipe.html")
    out.print("Ledger", style="bold")
    code = _connector(environment, "audit")
    out.print()
    _show_files(settings)
    return code


def _make_anew(data: Path) -> None:
    if data.exists() and any(data.iterdir()) and not (data / _MARK).exists():
        raise ConfigError(f"{data}: was not made by a demo, so it is not replaced; choose another --data")
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    (data / _MARK).touch()


@contextmanager
def _server(environment: dict[str, str], log: Path) -> Iterator[int]:
    """A running ``connector serve``; on leaving it is stopped, and must exit with 0."""
    port = free_port(_HOST)
    with log.open("wb") as lines:
        server = subprocess.Popen(
            [sys.executable, "-m", "connector", "serve", "--port", str(port)],
            env=environment, stdout=lines, stderr=lines,
        )  # fmt: skip
        try:
            _wait_until_ready(server, port, log)
            yield port
        finally:
            server.terminate()
            code = server.wait(90)
    if code != 0:
        raise CannotKeep(f"the server stopped with exit code {code}; see {log}")


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            connection = http.client.HTTPConnection(_HOST, port, timeout=2)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise CannotKeep(f"the server did not become ready; see {log}")


def _send_all(port: int, secret: bytes, people: int, seed: int) -> Sent:
    """Send single events and batches side by side; some of the store's messages are there twice."""
    messages = [orjson.dumps(event) for event in store_events(people=people, seed=seed, promotion=True)]
    cut = int(len(messages) * _SHARE_SENT_SINGLY)
    batches = [messages[at : at + _BATCH] for at in range(cut, len(messages), _BATCH)]
    bodies = [(body, body) for body in (*messages[:cut], *_FRAGMENTS)]
    bodies += [(b"[" + b",".join(batch) + b"]", batch[0]) for batch in batches]
    began = time.monotonic()
    with ThreadPoolExecutor(_SENDERS) as pool:
        list(pool.map(lambda some: _send(port, secret, some), [bodies[n::_SENDERS] for n in range(_SENDERS)]))
    return Sent(len(messages) + len(_FRAGMENTS), len(bodies), time.monotonic() - began)


def _send(port: int, secret: bytes, bodies: Sequence[tuple[bytes, bytes]]) -> None:
    """Send bodies over one connection; each is signed as Segment signs it: a batch by its first element."""
    connection = http.client.HTTPConnection(_HOST, port, timeout=30)
    for body, signed in bodies:
        status = _post(connection, body, hmac.new(secret, signed, "sha1").hexdigest())
        if status != 200:
            raise CannotKeep(f"the receiver answered {status}")
    connection.close()


def _post(connection: http.client.HTTPConnection, body: bytes, signature: str) -> int:
    headers = {"Content-Type": "application/json", "X-Signature": signature}
    connection.request("POST", "/webhook/demo", body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _connector(environment: dict[str, str], command: str) -> int:
    return subprocess.run(
        [sys.executable, "-m", "connector", command], env=environment, check=False
    ).returncode


def _show_files(settings: Settings) -> None:
    files = [live.output.bytes for live in open_data(settings).fold().tables.values()]
    where = f"{settings.data}/tables/<table>/day=<date>/*.parquet"
    out.print(f"Files     {len(files)} Parquet files, {sum(files) / 1e6:.1f} MB: {where}", markup=False)
    if settings.is_s3:
        out.print(
            "Stopped   the store is gone with the demo; yours: connector serve --data s3://bucket/prefix"
        )
    else:
        out.print(f"Try next  connector report dropped --data {settings.data} --to 2026-03-01", markup=False)
