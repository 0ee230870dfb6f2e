"""``connector audit`` and ``connector status`` where receivers on AWS leave the journal in S3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_journal import Context, Deployment, deployed, frame, joined, news
from click.testing import CliRunner, Result
from s3_servers import S3Server

from connector.cli import main


@pytest.fixture
def shop(seaweed: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """One object is written; the commands run where there is no journal folder."""
    monkeypatch.chdir(tmp_path)
    with deployed(seaweed, tmp_path, monkeypatch) as deployment:
        made = deployment.put("firehose/a.gz", joined(frame("m-1"), frame("m-2")))
        deployment.writer()(news(made), Context())
        monkeypatch.setenv("CONNECTOR_DATA", deployment.uri("lake"))
        monkeypatch.setenv("CONNECTOR_AWS__JOURNAL", deployment.uri("journal"))
        monkeypatch.setenv("CONNECTOR_AWS__REFUSED", deployment.uri("refused"))
        yield deployment


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def report(code: int) -> Any:
    ran = run("audit", "--json")
    assert ran.exit_code == code, ran.output
    return json.loads(ran.stdout)


def test_the_audit_of_a_journal_that_is_written_holds(shop: Deployment):
    found = report(0)

    assert (found["received"], found["waiting_files"], found["open_files"]) == (2, 0, 0)
    assert "No journal was looked at" not in run("audit").output


def test_what_is_young_waits_and_what_is_old_is_open_and_named(
    shop: Deployment, monkeypatch: pytest.MonkeyPatch
):
    late = shop.put("direct/2026/11/27/10/0a1b", frame("m-3"))

    assert (report(0)["waiting_files"], report(0)["open_files"]) == (1, 0)

    monkeypatch.setenv("CONNECTOR_OPEN_AFTER_SECONDS", "0")
    found = report(1)
    assert (found["waiting_files"], found["open_files"]) == (0, 1)
    (finding,) = found["findings"]
    assert finding.startswith(f"s3://{late.bucket}/{late.key} is closed for ")

    shop.writer()(news(late), Context())
    assert report(0)["open_files"] == 0


def test_refused_bodies_are_counted_outside_the_sum(shop: Deployment):
    shop.put("2026/11/27/0a1b", frame("m-3"), below="refused")
    shop.put("2026/11/27/0a1c", frame("m-4"), below="refused")

    assert (report(0)["refused"], report(0)["received"]) == (2, 2)
    assert "2 refused bodies are kept, outside the sum" in run("audit").output


def test_an_option_names_the_journal_of_a_deployment(shop: Deployment, monkeypatch: pytest.MonkeyPatch):
    shop.put("firehose/b.gz", joined(frame("m-3")))
    for name in ("CONNECTOR_AWS__JOURNAL", "CONNECTOR_AWS__REFUSED"):
        monkeypatch.delenv(name)

    assert "journal files wait" not in run("audit").output
    assert "1 journal files wait to be written" in run("audit", "--journal", shop.uri("journal")).output
    assert run("audit", "--journal", "somewhere").exit_code == 2


def test_a_journal_folder_counts_beside_the_one_in_s3(shop: Deployment, tmp_path: Path):
    shop.put("firehose/b.gz", joined(frame("m-3")))
    closed = tmp_path / "journal" / "closed"
    closed.mkdir(parents=True)
    (closed / "20261127T100000000Z-web1-7-0a1b2c3d").write_bytes(b"")

    assert report(0)["waiting_files"] == 2


def test_a_journal_alone_is_something_to_prove(shop: Deployment, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CONNECTOR_DATA", shop.uri(""))

    assert report(0)["waiting_files"] == 1, "under this address nothing is written"


def test_the_backlog_is_what_is_not_written_in_s3(shop: Deployment):
    content, refused = joined(frame("m-3")), frame("m-4")
    shop.put("firehose/b.gz", content)
    shop.put("2026/11/27/0a1b", refused, below="refused")

    ran = run("status", "--json")

    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout)
    assert (found["backlog"]["files"], found["backlog"]["bytes"]) == (1, len(content))
    assert 0 <= found["backlog"]["oldest_unwritten_seconds"] < 600
    assert found["refused_bytes"] == len(refused)
