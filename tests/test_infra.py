"""The deployment notes speak of what is there."""

import configparser
import re
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from connector.cli import main
from connector.receive.metrics import Metrics
from connector.serve import STOP_SECONDS
from connector.writer import Figures

INFRA = Path(__file__).parent.parent / "infra"


def test_the_metrics_to_watch_exist_before_anything_went_wrong():
    named = set(re.findall(r"connector_\w+_total", (INFRA / "README.md").read_text(encoding="utf-8")))
    metrics = Metrics()
    metrics.could_not_keep("journal_failed")

    of_the_writer = CollectorRegistry()
    Figures(of_the_writer)
    shown = metrics.exposition().decode() + generate_latest(of_the_writer).decode()

    assert named
    assert {name for name in named if f"# TYPE {name} " not in shown} == set()


def test_the_unit_runs_serve_and_waits_longer_than_a_stop_takes():
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(INFRA / "connector.service", encoding="utf-8")

    command = unit["Service"]["ExecStart"].split()[1]

    assert command in main.commands
    assert int(unit["Service"]["TimeoutStopSec"]) > STOP_SECONDS
