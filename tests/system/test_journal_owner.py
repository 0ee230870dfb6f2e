"""A journal belongs to one data folder and one configuration: a slip would be written for good."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from system.service import Lake, running

pytestmark = pytest.mark.slow

EVENT = (
    b'{"type":"track","event":"Order Purchased","messageId":"m1","userId":"usr_1","properties":{"revenue":5}}'
)
SOURCES = {
    "web": {"unsigned": True, "currency": "EUR", "event_aliases": {"Order Purchased": "Order Completed"}}
}


@pytest.fixture
def stopped(tmp_path: Path) -> Lake:
    """One acknowledged event in the journal, and nobody who writes it."""
    with running(
        tmp_path, settings={"roll_seconds": 600, "publish_seconds": 600}, sources=SOURCES
    ) as service:
        assert service.send(EVENT).status == 200
        service.stop()
        assert "1 journal files wait to be written" in service.log
    return service


def test_a_drain_without_the_configuration_is_refused_and_with_it_the_event_is_read_right(stopped: Lake):
    without = Lake(stopped.folder / "elsewhere", sources={}, settings={"data": str(stopped.data)})

    refused = without.run("drain")
    stopped.drain()

    assert refused.returncode == 2
    assert b"give the same --config" in refused.stderr
    assert stopped.query("SELECT event, currency FROM events") == [("Order Completed", "EUR")]


def test_it_can_be_forced(stopped: Lake):
    without = Lake(stopped.folder / "elsewhere", sources={}, settings={"data": str(stopped.data)})

    without.ok("drain", "--force")

    assert stopped.query("SELECT event, currency FROM events") == [("Order Purchased", None)]


def test_a_journal_of_another_lake_is_refused_even_with_force(stopped: Lake):
    settings = {"data": str(stopped.folder / "other"), "journal": str(stopped.journal)}
    other = Lake(stopped.folder / "elsewhere", sources=SOURCES, settings=settings)

    refused = [other.run("drain", "--force"), other.run("serve", "--port", "0")]

    assert [each.returncode for each in refused] == [2, 2]
    assert all(b"belongs to" in each.stderr for each in refused)
    assert json.loads((stopped.journal / ".owner").read_bytes())["data"] == str(stopped.data)


def test_a_drain_of_nothing_makes_nothing(tmp_path: Path):
    lake = Lake(tmp_path, settings={"data": str(tmp_path / "misspelt")})

    ran = lake.run("drain")

    assert (ran.returncode, (tmp_path / "misspelt").exists()) == (2, False)
    assert b"no such journal" in ran.stderr


def test_a_closed_file_that_is_not_what_the_ledger_has_is_a_finding(stopped: Lake):
    stopped.drain()
    (done,) = stopped.journal.glob("done/*/*.gz")
    (stopped.journal / "closed" / done.name.removesuffix(".gz")).write_bytes(b"other bytes")

    ran = stopped.run("audit", "--json")

    assert ran.returncode == 1
    assert "not what the ledger has under its name" in json.loads(ran.stdout)["findings"][0]
