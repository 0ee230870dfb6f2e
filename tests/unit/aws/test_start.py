"""How the functions behind the journal start: prepared outside the handler, and never dead for it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable

import pytest
from aws_journal import Context

from connector.aws import start
from connector.errors import ConfigError, StoreError

FUNCTIONS = ["writer", "reconcile", "janitor"]


class Lines:
    """In the place of the JSON logger."""

    def __init__(self) -> None:
        self.keys: dict[str, object] = {}

    def append_keys(self, **keys: object) -> None:
        self.keys |= keys


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    made = Lines()
    monkeypatch.setattr(start, "log_as_json", lambda _: made)
    monkeypatch.setattr(start, "_json", [])
    return made


def test_outside_a_lambda_nothing_is_prepared(lines: Lines, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    calls: list[int] = []

    start.begin("writer", lambda: calls.append(1))
    start.name_invocation(Context())

    assert (calls, lines.keys) == ([], {})


def test_in_a_lambda_it_is_prepared_once_and_lines_name_their_invocation(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "writer")
    calls: list[int] = []

    start.begin("writer", lambda: calls.append(1))
    start.name_invocation(Context())

    assert calls == [1]
    assert lines.keys == {"function_request_id": Context.aws_request_id}


@pytest.mark.parametrize("trouble", [ConfigError("aws.journal: is not set"), StoreError("no answer")])
def test_what_fails_at_the_start_is_logged_and_left_to_the_first_invocation(
    lines: Lines,
    trouble: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "writer")

    def fails() -> None:
        raise trouble

    prepare: Callable[[], object] = fails
    with caplog.at_level(logging.ERROR):
        start.begin("writer", prepare)

    assert str(trouble) in caplog.text


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_loaded_by_lambda_although_nothing_is_configured(name: str):
    """Its log is JSON from the first line on."""
    code = f"import connector.aws.{name} as f; assert callable(f.handler)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"AWS_LAMBDA_FUNCTION_NAME": name, "CONNECTOR_DATA": "s3:/slip", "PATH": "/usr/bin"},
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr.decode()
    (line,) = map(json.loads, ran.stdout.splitlines())
    assert (line["service"], line["level"]) == (name, "ERROR")
    assert "the first invocation tries again" in line["message"]


def test_the_writer_and_the_reconciliation_load_no_duckdb():
    """Their bundles have none. ``pyarrow`` is the writer's alone."""
    code = (
        "import sys, connector.aws.reconcile; assert 'pyarrow' not in sys.modules;"
        "import connector.aws.writer; assert 'duckdb' not in sys.modules; print('ok')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)

    assert ran.stdout == b"ok\n"
