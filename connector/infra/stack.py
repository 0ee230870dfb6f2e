"""What a deployed stack says of itself, and what AWS refuses, in one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from connector.errors import ConfigError, ConnectorError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_NEXT_STEP = "check the names, the region (AWS_REGION) and the credentials"


class AwsFailed(ConnectorError):
    """AWS refused or did not answer, or nobody said in which region it is."""

    code = "aws"


@contextmanager
def aws_errors(what: str) -> Iterator[None]:
    """Raise what boto3 says, a missing region among it, as ``AwsFailed`` in one line."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as trouble:
        raise AwsFailed(f"{what}: {trouble}; {_NEXT_STEP}") from None


def outputs_of(stack: str, client: CloudFormationClient) -> dict[str, tuple[str, str]]:
    """Output -> its value and what it is, in the order of their names.

    Raises:
        AwsFailed: AWS refused, or there is no such stack.
    """
    with aws_errors(f"stack {stack}"):
        (found,) = client.describe_stacks(StackName=stack)["Stacks"]
    outputs = sorted(found.get("Outputs", ()), key=lambda each: each["OutputKey"])
    return {each["OutputKey"]: (each["OutputValue"], each.get("Description", "")) for each in outputs}


def values_of_outputs(stack: str, names: Sequence[str], client: CloudFormationClient) -> list[str]:
    """The values of these outputs, in their order.

    Raises:
        ConfigError: the stack lacks one of them.
        AwsFailed: as ``outputs_of``.
    """
    found = outputs_of(stack, client)
    if missing := [name for name in names if name not in found]:
        lacking = " and no output ".join(missing)
        raise ConfigError(f"stack {stack}: no output {lacking}; is it a stack of this template?")
    return [found[name][0] for name in names]
