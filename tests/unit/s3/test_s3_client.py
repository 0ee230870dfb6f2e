"""How the client is made: addresses, credentials, proxies; and a store that travels to another process."""

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from operator import methodcaller
from pathlib import Path

import pytest
from botocore.awsrequest import AWSPreparedRequest
from s3_servers import S3Server

from connector.errors import ConfigError, StoreError
from connector.s3.client import AccessKeys, attempts_of, make_client
from connector.s3.config import S3Config, S3Place
from connector.s3.faults import server_of
from connector.s3.store import S3Store, open_store

KEYS = AccessKeys("AKIALANTERN", "a-secret-key")


class _AboutToSend(Exception):
    """Raised in place of sending."""


def address_of(config: S3Config) -> str:
    """Where a request for an object would go."""

    def stop(request: AWSPreparedRequest, **_: object) -> None:
        raise _AboutToSend(request.url)

    client = make_client(config, KEYS)
    client.meta.events.register("before-send.s3", stop)
    with pytest.raises(_AboutToSend) as stopped:
        client.get_object(Bucket="lake", Key="a/b")
    return str(stopped.value)


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment in which no AWS tool finds a key."""
    for name in (
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return monkeypatch


@pytest.mark.parametrize(
    ("config", "address"),
    [
        (S3Config(region="eu-central-1"), "https://lake.s3.eu-central-1.amazonaws.com/a/b"),
        (S3Config(endpoint="https://s3.example.org"), "https://s3.example.org/lake/a/b"),
        (S3Config(endpoint="http://127.0.0.1:9000"), "http://127.0.0.1:9000/lake/a/b"),
    ],
)
def test_a_store_that_is_not_aws_is_addressed_by_path(config: S3Config, address: str):
    assert address_of(config) == address


def test_time_outs_and_attempts_are_those_of_the_settings():
    client = make_client(S3Config(connect_timeout_seconds=2, read_timeout_seconds=7, attempts=4), KEYS)
    settings = client.meta.config
    assert (settings.connect_timeout, settings.read_timeout) == (2, 7)
    assert settings.retries["mode"] == "standard"
    assert attempts_of(client) == 4


@pytest.mark.parametrize(
    "endpoint", ["localhost:9000", "ftp://host", "http://", "http://host:port", "//host"]
)
def test_an_endpoint_that_is_no_url_is_a_fault_of_the_configuration(endpoint: str):
    with pytest.raises(ConfigError, match=r"s3\.endpoint"):
        make_client(S3Config(endpoint=endpoint), KEYS)


def test_a_server_on_loopback_is_reached_past_the_proxy_of_the_environment(
    moto: S3Server, monkeypatch: pytest.MonkeyPatch
):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    client = make_client(S3Config(endpoint=moto.endpoint, attempts=1), moto.keys)
    assert client.head_bucket(Bucket=moto.bucket)


def test_no_credentials_are_forbidden_and_the_message_says_where_they_were_looked_for(
    moto: S3Server, no_credentials: pytest.MonkeyPatch
):
    store = open_store(moto.place(), moto.config)
    for ask in (lambda: store.create("n", b""), lambda: store.read("n"), lambda: list(store.find(""))):
        with pytest.raises(StoreError, match=r"AWS_ACCESS_KEY_ID.*AWS_PROFILE") as raised:
            ask()
        assert (raised.value.code, raised.value.retryable) == ("store_forbidden", False)


def test_half_a_key_is_forbidden(moto: S3Server, no_credentials: pytest.MonkeyPatch):
    no_credentials.setenv("AWS_ACCESS_KEY_ID", "AKIALANTERN")
    with pytest.raises(StoreError, match="PartialCredentialsError") as raised:
        open_store(moto.place(), moto.config).read("n")
    assert (raised.value.code, raised.value.retryable) == ("store_forbidden", False)


def test_a_profile_that_is_not_there_is_forbidden(no_credentials: pytest.MonkeyPatch):
    no_credentials.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(StoreError, match="ProfileNotFound") as raised:
        open_store(S3Place("lake"), S3Config(region="eu-central-1"))
    assert raised.value.code == "store_forbidden"


def test_a_name_no_bucket_can_have_is_a_missing_bucket(moto: S3Server):
    with pytest.raises(StoreError, match="ParamValidationError") as raised:
        moto.store(S3Place("no bucket!", "")).read("n")
    assert (raised.value.code, raised.value.retryable) == ("store_missing", False)


def test_a_secret_shows_in_no_repr(moto: S3Server):
    store = moto.store()
    assert KEYS.secret_key not in repr(KEYS)
    assert moto.keys.secret_key not in f"{store!r}{moto!r}{pickle.dumps(store)!r}"
    assert repr(store) == f"S3Store({store.place.uri!r})"


def test_a_store_works_in_a_process_that_was_spawned(s3_environment: S3Server):
    store = open_store(s3_environment.place(), s3_environment.config)
    store.put("object", b"content")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as other:
        assert other.submit(methodcaller("read", "object"), store).result() == b"content"
        assert other.submit(methodcaller("create", "object", b""), store).result() is False


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
    ],
)
def test_the_region_is_the_one_that_every_aws_tool_takes(
    no_credentials: pytest.MonkeyPatch, environment: dict[str, str], region: str
):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        no_credentials.delenv(name, raising=False)
    for name, value in environment.items():
        no_credentials.setenv(name, value)

    assert make_client(S3Config(), KEYS).meta.region_name == region
    assert make_client(S3Config(region="us-west-1"), KEYS).meta.region_name == "us-west-1"


def test_a_server_that_is_not_reached_is_named_and_so_is_where_to_look():
    store = S3Store(
        make_client(S3Config(endpoint="http://127.0.0.1:1", attempts=1, region="us-east-1"), KEYS),
        S3Place("lake", "a/"),
        S3Config(),
    )
    with pytest.raises(StoreError) as raised:
        store.read("events")
    assert str(raised.value) == (
        "read in bucket lake: cannot reach http://127.0.0.1:1 (EndpointConnectionError); "
        "look at s3.endpoint, s3.region and the network"
    )


def test_a_server_in_a_message_has_no_credentials_of_its_url():
    client = make_client(S3Config(endpoint="https://user:word@s3.example.org:9/x", region="eu-west-1"), KEYS)
    assert server_of(client) == "https://s3.example.org:9"
