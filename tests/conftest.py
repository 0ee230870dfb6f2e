"""Options of the test suite, and how a test asks for something that lies outside the project."""

from __future__ import annotations

import os

import pytest

pytest_plugins = ["s3_servers", "aws_account"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write tests/golden/*/expected.jsonl anew; read the diff like code",
    )


def require(found: object, what: str) -> None:
    """Skip the test when ``found`` is false; fail it where ``CONNECTOR_REQUIRE=all`` says nothing is missing.

    Args:
        found: anything true when it is there.
        what: what is missing otherwise, for the report.
    """
    if found:
        return
    if os.environ.get("CONNECTOR_REQUIRE") == "all":
        pytest.fail(f"missing although CONNECTOR_REQUIRE=all: {what}")
    pytest.skip(f"missing: {what}")
