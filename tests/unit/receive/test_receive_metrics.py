"""Few labels, alarms from the start, and one sum over all workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from receive_fakes import figure

from connector.receive.metrics import SOURCE_LABELS, Metrics

ALARMS = [
    "signature_missing",
    "signature_mismatch",
    "unknown_source",
    "secret_missing",
    "webhook_not_configured",
    "too_many_events",
    "public_busy",
    "refused_bodies",
    "body_too_large",
    "body_incomplete",
    "internal_errors",
    "refused_not_kept",
]


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_stands_at_zero_before_anything_happened(name: str) -> None:
    assert f"connector_{name}_total 0.0" in Metrics().exposition().decode().splitlines()


def test_sources_beyond_the_cap_share_a_label() -> None:
    metrics = Metrics()
    for number in range(SOURCE_LABELS + 3):
        metrics.replied(f"shop-{number}", "ok")
    metrics.replied("shop-0", "ok")
    metrics.replied("unknown", "unknown_source")

    assert figure(metrics, "connector_requests_total", source="shop-0", outcome="ok") == 2
    assert figure(metrics, "connector_requests_total", source="other", outcome="ok") == 3
    assert figure(metrics, "connector_requests_total", source="unknown", outcome="unknown_source") == 1
    lines = metrics.exposition().decode().splitlines()
    assert sum(line.startswith("connector_requests_total{") for line in lines) == SOURCE_LABELS + 2


def test_two_apps_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.kept(10)

    assert (figure(one, "connector_body_bytes_total"), figure(other, "connector_body_bytes_total")) == (10, 0)


def test_bytes_in_flight_go_up_and_down() -> None:
    metrics = Metrics()
    metrics.in_flight(30)
    metrics.in_flight(-10)

    assert figure(metrics, "connector_in_flight_bytes") == 20


def test_a_duration_falls_into_its_bucket() -> None:
    metrics = Metrics()
    metrics.took(0.004)

    assert figure(metrics, "connector_request_duration_seconds_bucket", le="0.0025") == 0
    assert figure(metrics, "connector_request_duration_seconds_bucket", le="0.005") == 1


WORKER = """
from connector.receive.metrics import Metrics
metrics = Metrics()
metrics.replied("web", "ok")
metrics.in_flight(5)
print(metrics.exposition().decode())
"""


def test_any_worker_tells_the_figures_of_all(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    texts = [
        subprocess.run(
            [sys.executable, "-c", WORKER], env=environment, check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    ]

    assert 'connector_requests_total{outcome="ok",source="web"} 1.0' in texts[0]
    assert 'connector_requests_total{outcome="ok",source="web"} 2.0' in texts[1]
    assert "connector_signature_mismatch_total 0.0" in texts[1]
