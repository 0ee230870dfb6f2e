"""Figures of a Lambda, as CloudWatch reads them out of its log (embedded metric format)."""

from __future__ import annotations

import os

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

NAMESPACE = "SegmentLake"


def service_name(default: str) -> str:
    """What figures and log lines of this function are filed under."""
    return os.environ.get("POWERTOOLS_SERVICE_NAME") or default


class Figures:
    """Adds up what one invocation did; serves all invocations of a process, one after another."""

    def __init__(self, service: str) -> None:
        """``service``: the value of the only dimension, unless ``POWERTOOLS_SERVICE_NAME`` gives another one:
        two deployments of an account are told apart by it."""
        self._service = service_name(service)
        self._sums: dict[str, tuple[MetricUnit, float]] = {}

    def add(self, name: str, value: float = 1, unit: MetricUnit = MetricUnit.Count) -> None:
        """Add to a figure of this invocation. Units that do not add up (seconds) are added once."""
        self._sums[name] = unit, self._sums.get(name, (unit, 0))[1] + value

    def emit(self) -> None:
        """Print this invocation's figures as one line and begin with none; without any, print nothing."""
        if not self._sums:
            return
        line = EphemeralMetrics(namespace=NAMESPACE, service=self._service)
        for name, (unit, value) in self._sums.items():
            line.add_metric(name, unit, value)
        self._sums = {}
        line.flush_metrics()
