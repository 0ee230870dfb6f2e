"""What the door counts, as the figures of the invocation that was answered."""

from __future__ import annotations

from aws_lambda_powertools.metrics import MetricUnit

from connector.aws.figures import Figures
from connector.receive.metrics import INTERNAL, OK, Metrics

_SIGNATURE = ("signature_missing", "signature_mismatch")
_CONFIGURATION = ("unknown_source", "secret_missing", "webhook_not_configured")


class Outcomes(Metrics):
    """
    The app's counters, which add to the invocation's figures as well.

    Each answer to a sender is exactly one of ``Captured``, ``SignatureRefused``, ``NotConfigured`` (503: the
    source or its secret is not known; a stranger can ask for any), ``CannotKeep`` (any other 503) and
    ``RequestsRefused`` (any other 4xx, 429 included). ``CapturedBytes`` and ``RefusedNotKept`` come beside
    these.
    """

    def __init__(self, figures: Figures) -> None:
        super().__init__()
        self._figures = figures
        self._replied: list[str] = []
        self._ours = 0

    def replied(self, source: str, outcome: str) -> None:
        super().replied(source, outcome)
        self._replied.append(outcome)
        self._ours += outcome == INTERNAL

    def could_not_keep(self, code: str) -> None:
        super().could_not_keep(code)
        self._ours += 1

    def kept(self, body_bytes: int) -> None:
        super().kept(body_bytes)
        self._figures.add("CapturedBytes", body_bytes, MetricUnit.Bytes)

    def refused_not_kept(self) -> None:
        super().refused_not_kept()
        self._figures.add("RefusedNotKept")

    def settle(self) -> None:
        """Add the answers since the last time to the figures, each under its one name."""
        captured = self._replied.count(OK)
        unproven = sum(map(self._replied.count, _SIGNATURE))
        unconfigured = sum(map(self._replied.count, _CONFIGURATION))
        refused = len(self._replied) - captured - unproven - self._ours
        for name, count in (
            ("Captured", captured),
            ("SignatureRefused", unproven),
            ("RequestsRefused", refused),
            ("NotConfigured", unconfigured),
            ("CannotKeep", self._ours - unconfigured),
        ):
            if count:
                self._figures.add(name, count)
        self._replied, self._ours = [], 0
