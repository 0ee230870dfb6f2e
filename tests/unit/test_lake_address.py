"""Where pyarrow looks for a bucket: where the client of boto3 does, whatever it knows it from."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.lake.remote import address_of
from connector.s3.client import AccessKeys, make_client
from connector.s3.config import S3Config, S3Place
from connector.s3.store import S3Store


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in (
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return monkeypatch


def address(**config: str) -> dict[str, object]:
    given = S3Config(**config)
    return address_of(S3Store(make_client(given, AccessKeys("AKIA", "x")), S3Place("lake"), given))


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1", "cn-north-1"])
def test_of_aws_itself_the_region_is_enough(environment: pytest.MonkeyPatch, region: str):
    assert address(region=region) == {"region": region}


def test_an_endpoint_of_the_settings_is_asked_by_path(environment: pytest.MonkeyPatch):
    assert address(endpoint="http://127.0.0.1:9000", region="eu-west-1") == {
        "region": "eu-west-1", "endpoint_override": "127.0.0.1:9000", "scheme": "http",
        "force_virtual_addressing": False,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
def test_an_endpoint_of_the_environment_counts(environment: pytest.MonkeyPatch, name: str):
    environment.setenv(name, "https://s3.example.org/base/")
    environment.setenv("AWS_REGION", "eu-west-3")
    assert address() == {
        "region": "eu-west-3", "endpoint_override": "s3.example.org/base", "scheme": "https",
        "force_virtual_addressing": False,
    }  # fmt: skip


def test_endpoint_region_and_addressing_of_the_shared_file_count(
    environment: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "config").write_text(
        "[default]\nregion = eu-north-1\nservices = here\ns3 =\n  addressing_style = virtual\n"
        "[services here]\ns3 =\n  endpoint_url = https://objects.example.org\n"
    )
    assert address() == {
        "region": "eu-north-1", "endpoint_override": "objects.example.org", "scheme": "https",
        "force_virtual_addressing": True,
    }  # fmt: skip


def test_without_any_region_it_is_the_one_that_s3_began_in(environment: pytest.MonkeyPatch):
    assert address(endpoint="http://127.0.0.1:9000")["region"] == "us-east-1"
