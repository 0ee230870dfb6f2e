"""Statements run in Athena, and where: the names that a stack's outputs tell."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from connector.infra.stack import AwsFailed, aws_errors, values_of_outputs

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_cloudformation import CloudFormationClient

MOST_SECONDS = 180.0
"""How long one statement may wait and run; a view takes a second or two."""
_PAUSE_SECONDS = 0.5
_OUTPUTS = ("Database", "WorkGroup")


class Target(NamedTuple):
    """Where statements run."""

    database: str
    workgroup: str


def target_of(stack: str, client: CloudFormationClient) -> Target:
    """
    The database and the workgroup of a deployed stack.

    Raises:
        ConfigError: the stack has no such outputs.
        AwsFailed: CloudFormation refused, or there is no such stack.
    """
    return Target(*values_of_outputs(stack, _OUTPUTS, client))


def run_statement(
    name: str,
    statement: str,
    target: Target,
    client: AthenaClient,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """
    Run one statement and wait for its end.

    Args:
        name: of what it makes, for people.

    Raises:
        AwsFailed: with Athena's own reason; the statement did nothing, or is not over after
            ``MOST_SECONDS``.
    """
    with aws_errors(f"view {name}"):
        query_id = client.start_query_execution(
            QueryString=statement,
            QueryExecutionContext={"Database": target.database},
            WorkGroup=target.workgroup,
        )["QueryExecutionId"]
        state, reason = _end_of(query_id, client, pause)
    if state != "SUCCEEDED":
        raise AwsFailed(
            f"view {name}: Athena says {state}: {reason or 'no reason'} (query {query_id}). The views before "
            f"it are made; deploy the template of this release with the same --config, so that database "
            f"{target.database} has its tables, then run this again"
        )


def _end_of(query_id: str, client: AthenaClient, pause: Callable[[float], None]) -> tuple[str, str]:
    """The state a query ended in, and why; ``RUNNING`` or ``QUEUED`` when that took too long."""
    waited = 0.0
    while True:
        status = client.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
        state = status["State"]
        if state in ("SUCCEEDED", "FAILED", "CANCELLED"):
            return state, status.get("StateChangeReason", "")
        if waited >= MOST_SECONDS:
            return state, f"still so after {MOST_SECONDS:.0f} s"
        pause(_PAUSE_SECONDS)
        waited += _PAUSE_SECONDS
