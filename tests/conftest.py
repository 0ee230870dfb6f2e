"""Options of the test suite, and how a test asks for something that lies outside the project."""

from __future__ import annotations

import gc
import os

import pytest

pytest_plugins = ["s3_servers", "aws_account"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write tests/golden/*/expected.jsonl anew; read the diff like code",
    )


def pytest_collection_finish() -> None:
    """Thousands of tests were made for good: no later collection of garbage need look at them again."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """At its end the process lets go of everything."""
    gc.unfreeze()


@pytest.fixture
def little_to_collect() -> None:
    """For a test that collects garbage often: what was there before it is left alone from now on."""
    gc.collect()
    gc.freeze()


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
