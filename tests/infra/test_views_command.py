"""``connector infra views`` against moto, which notes the statements and answers that they succeeded."""

from __future__ import annotations

import json
import secrets
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner, Result
from s3_servers import S3Server

from connector.cli_infra_views import views
from connector.errors import ConfigError
from connector.infra.stack import AwsFailed
from connector.infra.views import FIRST_QUERY, document, shipped_views
from connector.infra.views_athena import MOST_SECONDS, Target, run_statement


@pytest.fixture
def aws(moto: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process finds moto where it would find AWS."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "CONNECTOR_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.endpoint)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


@pytest.fixture
def workgroup(aws: None) -> str:
    name = f"lake-{secrets.token_hex(4)}"
    boto3.Session().client("athena").create_work_group(Name=name)
    return name


def _stack(**outputs: str) -> str:
    """A stack that has nothing but outputs to speak of."""
    name = f"lake-{secrets.token_hex(4)}"
    template = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    boto3.Session().client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
    return name


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(views, arguments)


def _executed(workgroup: str) -> list[dict[str, Any]]:
    client = boto3.Session().client("athena")
    ids = client.list_query_executions(WorkGroup=workgroup)["QueryExecutionIds"]
    return [client.get_query_execution(QueryExecutionId=each)["QueryExecution"] for each in ids]


def test_each_view_is_made_in_the_database_and_workgroup_of_the_stack(workgroup: str):
    stack = _stack(Database="segment_lake", WorkGroup=workgroup)

    ran = _run("--stack", stack)

    assert ran.exit_code == 0
    executed = _executed(workgroup)
    assert [each["Query"] for each in executed] == [view.statement for view in shipped_views()]
    assert {each["QueryExecutionContext"]["Database"] for each in executed} == {"segment_lake"}
    assert "✓ events\n" in ran.output
    assert ran.output.endswith(f"{len(executed)} views in database segment_lake. Ask first:\n{FIRST_QUERY}\n")


def test_database_and_workgroup_do_instead_of_a_stack(workgroup: str):
    assert _run("--database", "other", "--workgroup", workgroup).exit_code == 0

    assert {each["QueryExecutionContext"]["Database"] for each in _executed(workgroup)} == {"other"}


def test_print_needs_no_aws(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CONNECTOR_CONFIG", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    ran = _run("--print")

    assert (ran.exit_code, ran.output) == (0, document(shipped_views()))


def test_columns_that_the_configuration_promotes_are_in_the_views(tmp_path):
    config = tmp_path / "connector.yaml"
    config.write_text("columns:\n  events:\n    colour: {path: properties.colour, type: S}\n")

    assert "  colour,\n" in _run("--config", str(config), "--print").output


def test_a_promoted_column_that_trino_cannot_name_is_refused_before_anything_runs(tmp_path, workgroup: str):
    config = tmp_path / "connector.yaml"
    config.write_text("columns:\n  events:\n    left: {path: properties.left, type: S}\n")

    ran = _run("--config", str(config), "--database", "d", "--workgroup", workgroup)

    assert isinstance(ran.exception, ConfigError)
    assert "the name left" in str(ran.exception)
    assert _executed(workgroup) == []


@pytest.mark.parametrize("given", [(), ("--database", "d"), ("--workgroup", "w")])
def test_it_must_be_said_where(given: tuple[str, ...]):
    ran = _run(*given)

    assert isinstance(ran.exception, ConfigError)
    assert str(ran.exception).startswith("say where: --stack NAME, or --database and --workgroup")


def test_a_stack_and_a_database_may_disagree():
    ran = _run("--stack", "lake", "--database", "d")

    assert isinstance(ran.exception, ConfigError)


def test_a_stack_of_something_else_is_refused_with_what_it_lacks(aws: None):
    ran = _run("--stack", _stack(Database="segment_lake"))

    assert isinstance(ran.exception, ConfigError)
    assert "no output WorkGroup; is it a stack of this template?" in str(ran.exception)


def test_a_stack_that_is_not_there_is_said_in_the_words_of_aws(aws: None):
    ran = _run("--stack", "segment-lake")

    assert isinstance(ran.exception, AwsFailed)
    assert "Stack with id segment-lake does not exist" in str(ran.exception)
    assert str(ran.exception).endswith("check the names, the region (AWS_REGION) and the credentials")


def test_a_workgroup_that_is_not_there_is_said_in_the_words_of_aws(aws: None):
    ran = _run("--database", "d", "--workgroup", "nobody")

    assert isinstance(ran.exception, AwsFailed)
    assert str(ran.exception).startswith("view events: ")
    assert "WorkGroup does not exist" in str(ran.exception)


@pytest.mark.parametrize("where", [("--stack", "lake"), ("--database", "d", "--workgroup", "w")])
def test_a_region_that_is_not_set_is_said(aws: None, where: tuple[str, ...], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)

    ran = _run(*where)

    assert isinstance(ran.exception, AwsFailed)
    assert "You must specify a region" in str(ran.exception)


def test_an_aws_that_does_not_answer_is_one_line(aws: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    ran = _run("--stack", "lake")

    assert isinstance(ran.exception, AwsFailed)
    assert "\n" not in str(ran.exception)


def _answered(*statuses: dict[str, str]) -> tuple[Any, list[float]]:
    """A client whose query goes through these states, and the pauses that were made."""
    client = boto3.Session().client(
        "athena", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    stubber = Stubber(client)
    stubber.add_response("start_query_execution", {"QueryExecutionId": "q-1"})
    for status in statuses:
        stubber.add_response("get_query_execution", {"QueryExecution": {"Status": status}})
    stubber.activate()
    return client, []


def test_a_statement_is_waited_for():
    client, pauses = _answered({"State": "QUEUED"}, {"State": "RUNNING"}, {"State": "SUCCEEDED"})

    run_statement("orders", "CREATE", Target("d", "w"), client, pauses.append)

    assert len(pauses) == 2


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_the_reason_of_athena_and_a_next_step_are_told(state: str):
    reason = "line 3:8: Table 'awsdatacatalog.d.events_raw' does not exist"
    client, pauses = _answered({"State": state, "StateChangeReason": reason})

    with pytest.raises(AwsFailed) as refused:
        run_statement("orders", "CREATE", Target("d", "w"), client, pauses.append)

    assert str(refused.value).startswith(f"view orders: Athena says {state}: {reason} (query q-1). ")
    assert "deploy the template" in str(refused.value)


def test_a_statement_that_never_ends_is_left():
    turns = round(MOST_SECONDS / 0.5) + 1
    client, pauses = _answered(*[{"State": "QUEUED"}] * turns)

    with pytest.raises(AwsFailed, match="QUEUED: still so after 180 s"):
        run_statement("orders", "CREATE", Target("d", "w"), client, pauses.append)

    assert sum(pauses) == MOST_SECONDS
