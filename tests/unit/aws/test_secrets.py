"""Secrets of Lambdas: fetched once, renewed without a deployment, told to nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_account import Account

from connector.aws.secrets import AGAIN_SECONDS, RENEW_SECONDS, Secrets, read_references
from connector.errors import ConfigError

Put = Callable[[str, str], None]


class Clock:
    seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def name(aws_environment: Account) -> str:
    return f"lantern/{aws_environment.root}"


@pytest.fixture
def put(aws_client: Callable[[str], Any]) -> Put:
    """Sets a secret, the first time or anew."""
    client = aws_client("secretsmanager")

    def put(name: str, text: str) -> None:
        try:
            client.create_secret(Name=name, SecretString=text)
        except client.exceptions.ResourceExistsException:
            client.put_secret_value(SecretId=name, SecretString=text)

    return put


def of(text: str, environ: dict[str, str], clock: Clock | None = None) -> Secrets:
    return Secrets(read_references(text), environ=environ, clock=clock or Clock())


class TestWhereTheyLie:
    def test_a_json_object_sets_each_of_its_keys(self, name: str, put: Put) -> None:
        put(name, '{"WEB_SECRET": "s3cret-1", "PRIVACY_KEY": "k"}')
        environ: dict[str, str] = {}

        of(f"secretsmanager:{name}", environ).begin()

        assert environ == {"WEB_SECRET": "s3cret-1", "PRIVACY_KEY": "k"}

    def test_an_arn_names_one_as_well(self, name: str, put: Put, aws_client: Callable[[str], Any]) -> None:
        put(name, '{"WEB_SECRET": "s3cret-1"}')
        arn = aws_client("secretsmanager").describe_secret(SecretId=name)["ARN"]
        environ: dict[str, str] = {}

        of(f"secretsmanager:{arn}", environ).begin()

        assert environ == {"WEB_SECRET": "s3cret-1"}

    @pytest.mark.parametrize("text", ["k", '{"not": "looked into"}'])
    def test_a_whole_text_is_the_value_of_the_name_behind_it(self, name: str, put: Put, text: str) -> None:
        put(name, text)
        environ: dict[str, str] = {}

        of(f"secretsmanager:{name}#PRIVACY_KEY", environ).begin()

        assert environ == {"PRIVACY_KEY": text}

    def test_a_parameter_is_called_by_the_last_step_of_its_path(
        self, name: str, put: Put, aws_client: Callable[[str], Any]
    ) -> None:
        aws_client("ssm").put_parameter(Name=f"/{name}/WEB_SECRET", Value="s3cret-2", Type="SecureString")
        put(name, '{"PRIVACY_KEY": "k"}')
        environ: dict[str, str] = {}

        of(f"ssm:/{name}/WEB_SECRET, secretsmanager:{name}", environ).begin()

        assert environ == {"WEB_SECRET": "s3cret-2", "PRIVACY_KEY": "k"}

    def test_a_variable_that_is_set_is_left_alone(self, name: str, put: Put) -> None:
        put(name, '{"WEB_SECRET": "from the store", "PRIVACY_KEY": "k"}')
        environ = {"WEB_SECRET": "from the template"}

        of(f"secretsmanager:{name}", environ).begin()

        assert environ == {"WEB_SECRET": "from the template", "PRIVACY_KEY": "k"}

    def test_none_are_asked_for_where_none_are_named(self, aws_environment: Account) -> None:
        secrets = of("", {})
        secrets.begin()

        assert secrets.renew() is False
        assert aws_environment.proxy.requests == []

    @pytest.mark.parametrize(
        "text",
        ["vault:x", "s3cret", "secretsmanager:", "ssm:/lake/web-secret", "ssm:/lake/", "secretsmanager:x#"],
    )
    def test_a_slip_is_told_before_anything_starts(self, text: str) -> None:
        with pytest.raises(ConfigError, match="CONNECTOR_SECRETS"):
            read_references(f"secretsmanager:lake/web,{text}")


class TestWhatCannotBeUsed:
    @pytest.mark.parametrize(
        "text",
        ["plain", "[]", '{"WEB_SECRET": 5}', '{"web secret": "x"}', '{"A": "a\\u0000b"}', '{"A": "\\ud800"}'],
    )
    def test_is_told_by_its_name_and_without_its_value(
        self, name: str, put: Put, text: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        put(name, text)
        environ: dict[str, str] = {}

        of(f"secretsmanager:{name}", environ).begin()

        assert environ == {}
        assert f"secret secretsmanager:{name} cannot be used" in caplog.text
        assert text not in caplog.text

    def test_one_that_is_not_there_does_not_keep_another_away(
        self, name: str, put: Put, caplog: pytest.LogCaptureFixture
    ) -> None:
        put(name, '{"WEB_SECRET": "s3cret-1"}')
        environ: dict[str, str] = {}

        of(f"ssm:/{name}/NOWHERE,secretsmanager:{name}", environ).begin()

        assert environ == {"WEB_SECRET": "s3cret-1"}
        assert "ParameterNotFound" in caplog.text
        assert "s3cret-1" not in caplog.text

    def test_a_binary_one_is_none(self, name: str, aws_client: Callable[[str], Any]) -> None:
        aws_client("secretsmanager").create_secret(Name=name, SecretBinary=b"x")
        environ: dict[str, str] = {}

        of(f"secretsmanager:{name}#KEY", environ).begin()

        assert environ == {}


class TestTime:
    def test_at_the_start_it_tries_twice(self, aws_environment: Account, name: str, put: Put) -> None:
        put(name, '{"WEB_SECRET": "s3cret-1"}')
        aws_environment.refuse(500, "InternalServiceError", times=1)
        environ: dict[str, str] = {}

        of(f"secretsmanager:{name}", environ).begin()

        assert environ == {"WEB_SECRET": "s3cret-1"}

    @pytest.mark.parametrize("trouble", ["refuse", "drop", "hang"])
    def test_what_could_not_be_fetched_is_tried_again_after_a_while_and_not_before(
        self, aws_environment: Account, name: str, put: Put, trouble: str
    ) -> None:
        put(name, '{"WEB_SECRET": "s3cret-1"}')
        proxy, clock = aws_environment.proxy, Clock()
        environ: dict[str, str] = {}
        secrets = of(f"secretsmanager:{name}", environ, clock)
        if trouble == "refuse":
            aws_environment.refuse(400, "AccessDeniedException")
        else:
            getattr(proxy, trouble)()
        secrets.begin()
        proxy.clear()

        clock.seconds += AGAIN_SECONDS - 1
        assert (secrets.renew(), environ) == (False, {})
        clock.seconds += 1
        assert (secrets.renew(), environ) == (True, {"WEB_SECRET": "s3cret-1"})
        assert len(proxy.requests) == 1

    def test_a_rotated_one_arrives_without_a_deployment(
        self, aws_environment: Account, name: str, put: Put
    ) -> None:
        put(name, '{"WEB_SECRET": "s3cret-1", "WEB_SECRET_BEFORE": "s3cret-0"}')
        clock, environ = Clock(), {"OTHER": "x"}
        secrets = of(f"secretsmanager:{name}", environ, clock)
        secrets.begin()
        put(name, '{"WEB_SECRET": "s3cret-2"}')

        clock.seconds += RENEW_SECONDS - 1
        assert secrets.renew() is False
        clock.seconds += 1
        assert secrets.renew() is True
        assert environ == {"OTHER": "x", "WEB_SECRET": "s3cret-2"}
        clock.seconds += RENEW_SECONDS
        assert secrets.renew() is False

    def test_after_the_clock_was_set_back_they_are_fetched_at_once(self, name: str, put: Put) -> None:
        put(name, json.dumps({"WEB_SECRET": "s3cret-1"}))
        clock, environ = Clock(), dict[str, str]()
        secrets = of(f"secretsmanager:{name}", environ, clock)
        secrets.begin()
        put(name, json.dumps({"WEB_SECRET": "s3cret-2"}))

        clock.seconds -= 86_400

        assert secrets.renew() is True

    def test_while_they_cannot_be_renewed_the_old_ones_stay(
        self, aws_environment: Account, name: str, put: Put
    ) -> None:
        put(name, '{"WEB_SECRET": "s3cret-1"}')
        clock, environ = Clock(), dict[str, str]()
        secrets = of(f"secretsmanager:{name}", environ, clock)
        secrets.begin()
        aws_environment.refuse(400, "AccessDeniedException")

        clock.seconds += RENEW_SECONDS

        assert secrets.renew() is False
        assert environ == {"WEB_SECRET": "s3cret-1"}

    def test_a_request_waits_for_one_time_out_at_most(
        self, aws_environment: Account, name: str, put: Put
    ) -> None:
        put(name, '{"WEB_SECRET": "s3cret-1"}')
        clock = Clock()
        secrets = of(f"secretsmanager:{name},secretsmanager:{name}#A,secretsmanager:{name}#B", {}, clock)
        secrets.begin()
        aws_environment.proxy.clear()
        aws_environment.proxy.hang()

        clock.seconds += RENEW_SECONDS
        secrets.renew()

        assert len(aws_environment.proxy.requests) == 1
