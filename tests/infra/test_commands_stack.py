"""``connector infra outputs`` and ``redrive`` ask a stack where its queues are; moto is the account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from s3_servers import S3Server

from connector.cli import main

STACK = {
    "Resources": {"Capture": {"Type": "AWS::SQS::Queue"}, "Dead": {"Type": "AWS::SQS::Queue"}},
    "Outputs": {
        "CaptureQueueUrl": {"Value": {"Ref": "Capture"}, "Description": "What waits"},
        "DeadLetterQueueUrl": {"Value": {"Ref": "Dead"}, "Description": "What failed"},
    },
}


@pytest.fixture
def account(moto: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Clients of an account with the stack ``lake`` and one that is none of ours, ``other``."""
    for name, value in {**moto.environment, "AWS_ENDPOINT_URL": moto.endpoint}.items():
        monkeypatch.setenv(name, value)
    formation = boto3.client("cloudformation")
    formation.create_stack(StackName="lake", TemplateBody=json.dumps(STACK))
    other = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    formation.create_stack(StackName="other", TemplateBody=json.dumps(other))
    yield formation
    for stack in ("lake", "other"):
        formation.delete_stack(StackName=stack)


def infra(*arguments: str) -> Result:
    runner = CliRunner(env={"CONNECTOR_CONFIG": None})
    return runner.invoke(main, ["infra", *arguments], prog_name="connector")


def addresses() -> dict[str, str]:
    return json.loads(infra("outputs", "--stack", "lake", "--json").stdout)


def waiting(url: str) -> list[str]:
    found = boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [message["Body"] for message in found.get("Messages", ())]


def test_outputs_are_shown_with_what_they_are(account):
    ran = infra("outputs", "--stack", "lake")

    assert ran.exit_code == 0
    assert "DeadLetterQueueUrl: What failed\n  http" in ran.stdout


def test_messages_of_the_dead_letter_queue_go_back_into_the_queue_with_one_command(account):
    found = addresses()
    sqs = boto3.client("sqs")
    for number in range(3):
        sqs.send_message(QueueUrl=found["DeadLetterQueueUrl"], MessageBody=f"object-{number}")

    ran = infra("redrive", "--stack", "lake")

    assert ran.exit_code == 0
    assert "3 messages are back in the queue" in ran.stderr
    assert sorted(waiting(found["CaptureQueueUrl"])) == ["object-0", "object-1", "object-2"]
    assert waiting(found["DeadLetterQueueUrl"]) == []


def test_an_empty_dead_letter_queue_is_no_fault(account):
    ran = infra("redrive", "--stack", "lake")

    assert ran.exit_code == 0
    assert "nothing was put back" in ran.stderr


@pytest.mark.parametrize("command", ["outputs", "redrive"])
def test_a_stack_that_is_not_there_is_named(account, command):
    ran = infra(command, "--stack", "nowhere")

    assert ran.exit_code == 1
    assert "stack nowhere" in ran.stderr


def test_a_stack_of_another_template_is_wrong_usage(account):
    ran = infra("redrive", "--stack", "other")

    assert ran.exit_code == 2
    assert "is it a stack of this template?" in ran.stderr


def test_the_region_is_found_where_every_aws_tool_looks(account, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    assert infra("outputs", "--stack", "lake").exit_code == 0

    monkeypatch.delenv("AWS_REGION")
    lost = infra("outputs", "--stack", "lake")

    assert (lost.exit_code, "You must specify a region" in lost.stderr) == (1, True), lost.stderr
    assert "Traceback" not in lost.stderr
