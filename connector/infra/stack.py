"""What a deployed stack says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.infra.views_athena import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient


def outputs_of(stack: str, client: CloudFormationClient) -> dict[str, tuple[str, str]]:
    """Output -> its value and what it is, in the order of their names.

    Raises:
        AthenaFailed: AWS refused, or there is no such stack.
    """
    with aws_errors(f"stack {stack}"):
        (found,) = client.describe_stacks(StackName=stack)["Stacks"]
    outputs = sorted(found.get("Outputs", ()), key=lambda each: each["OutputKey"])
    return {each["OutputKey"]: (each["OutputValue"], each.get("Description", "")) for each in outputs}
