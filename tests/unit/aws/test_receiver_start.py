"""The receiver in a process of its own, as Lambda starts it: what it loads and what it prints."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_account import Account
from aws_events import url_event

REPOSITORY = Path(__file__).parents[3]
ORDER = b'{"type":"track","event":"Order Completed","messageId":"m1"}'
LAMBDA = """
import json, sys
from types import SimpleNamespace
from connector.aws.receiver import handler
for number, line in enumerate(sys.stdin):
    answer = handler(json.loads(line), SimpleNamespace(aws_request_id=f"request-{number}"))
    print(json.dumps({"answer": answer}))
print(json.dumps({"modules": sorted(sys.modules)}))
"""
UNWANTED = {
    "altair", "boto3", "duckdb", "granian", "jsonschema", "jsonschema_rs", "numpy", "phonenumbers", "pyarrow",
    "rich", "s3transfer", "scipy", "sqlglot",
}  # fmt: skip


@pytest.fixture
def lines(account: Account, tmp_path: Path) -> list[dict[str, Any]]:
    """What a new process printed for a signed request, one without a signature, and one for nobody."""
    signature = hmac.new(b"s3cret", ORDER, hashlib.sha1).hexdigest()
    events = [
        url_event("POST", "/webhook/web", ORDER, {"X-Signature": signature}),
        url_event("POST", "/webhook/web", ORDER),
        url_event("POST", "/webhook/other", ORDER),
    ]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY),
        "CONNECTOR_SOURCES": json.dumps({"web": {"secrets": ["env:WEB_SECRET"]}}),
        "WEB_SECRET": "s3cret",
        **account.environment,
    }
    done = subprocess.run(
        [sys.executable, "-c", LAMBDA],
        input="".join(json.dumps(event) + "\n" for event in events),
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (done.stderr, list(tmp_path.iterdir())) == ("", [])
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_answers_logs_in_json_and_loads_no_table_library(
    account: Account, lines: list[dict[str, Any]]
) -> None:
    answers = [line["answer"] for line in lines if "answer" in line]
    counted = [line for line in lines if "_aws" in line]
    logged = [line for line in lines if "level" in line]
    [modules] = [line["modules"] for line in lines if "modules" in line]

    assert [answer["statusCode"] for answer in answers] == [200, 401, 503]
    assert [each.body for each in account.frames()] == [ORDER]
    assert [set(line) & {"Captured", "SignatureRefused", "NotConfigured"} for line in counted] == [
        {"Captured"}, {"SignatureRefused"}, {"NotConfigured"},
    ]  # fmt: skip
    assert [(line["service"], line["function_request_id"]) for line in logged] == [
        ("receiver", "request-1"), ("receiver", "request-2"),
    ]  # fmt: skip
    assert "signature_missing" in logged[0]["message"]
    assert not UNWANTED & {module.partition(".")[0] for module in modules}
