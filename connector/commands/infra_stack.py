"""``connector infra outputs`` and ``redrive``: a deployed stack, asked and helped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import click

from connector.aws.queue import Redriven, redrive
from connector.config import Settings
from connector.infra.stack import aws_errors, outputs_of, values_of_outputs
from connector.terminal import err
from connector.wiring.aws import service_client
from connector.wiring.queues import make_sqs

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_QUEUES = ("DeadLetterQueueUrl", "CaptureQueueUrl")


def outputs(settings: Settings, stack: str, *, as_json: bool) -> None:
    """Print what a deployment is called and what to do with it.

    Raises:
        AwsFailed: AWS refused, or there is no such stack.
    """
    found = outputs_of(stack, _client(settings))
    if as_json:
        click.echo(json.dumps({name: value for name, (value, _) in found.items()}, indent=2))
        return
    for name, (value, description) in found.items():
        click.echo(f"{name}: {description}\n  {value}")


def redrive_stack(settings: Settings, stack: str) -> int:
    """Put the messages of a stack's dead-letter queue back, and say how many.

    Returns:
        Exit code 1 when messages are left, or came back at once.

    Raises:
        ConfigError: the stack has no such queues.
        AwsFailed, QueueError: AWS refused; what was moved is moved.
    """
    source, target = values_of_outputs(stack, _QUEUES, _client(settings))
    moved = redrive(make_sqs(settings), source, target)
    err.print(_said(moved), markup=False)
    return 1 if moved.left or moved.came_back else 0


def _said(moved: Redriven) -> str:
    parts = [f"{moved.moved:,} messages are back in the queue" if moved.moved else "nothing was put back"]
    if moved.came_back:
        parts.append(f"{moved.came_back:,} failed again at once: look at the writer's log first")
    if moved.left:
        parts.append(f"{moved.left:,} were not taken by the queue and stay: run it again")
    if not moved.finished and not (moved.came_back or moved.left):
        parts.append("there are more: run it again")
    return "; ".join(parts)


def _client(settings: Settings) -> CloudFormationClient:
    with aws_errors("CloudFormation"):
        return cast("CloudFormationClient", service_client(settings, "cloudformation"))
