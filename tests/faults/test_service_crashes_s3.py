"""The same as on disk, with the tables in S3: whatever dies, what was answered 200 is in the tables once."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from faults.rounds import ENVIRONMENT, ROUNDS, SETTINGS, run_rounds
from faults.traffic import Traffic, assert_kept_once, settle
from s3_proxy import S3Proxy
from s3_servers import S3Server
from system.s3_service import running_in_s3
from system.service import Service

pytestmark = pytest.mark.slow

ROUNDS_IN_S3 = max(ROUNDS // 8, 1)
UNHURRIED = {"publish_seconds": 0.3, "roll_seconds": 0.5, "compact_seconds": 1.0}
"""A journal file costs several requests: fewer of them, or a round is spent on catching up."""


def test_whatever_is_killed_under_traffic_every_acknowledged_event_is_in_the_bucket_exactly_once(
    tmp_path: Path, seaweed: S3Server, capfd: pytest.CaptureFixture[str]
) -> None:
    def start(number: int) -> AbstractContextManager[Service]:
        return running_in_s3(tmp_path / str(number), seaweed, settings=UNHURRIED, environment=ENVIRONMENT)

    tally = run_rounds("random kills, tables in SeaweedFS", ROUNDS_IN_S3, start, capfd.disabled)

    assert tally.acknowledged > 100 * ROUNDS_IN_S3


def test_answers_that_are_lost_and_refusals_in_between_make_nothing_twice(
    tmp_path: Path, proxied: tuple[S3Proxy, S3Server]
) -> None:
    """C24, C25 and C30: the store did it and nobody heard, or it did not and said so."""
    proxy, server = proxied
    patience = {"attempts": 2, "connect_timeout_seconds": 1, "read_timeout_seconds": 2}
    settings = {**SETTINGS, "s3": patience}
    with running_in_s3(tmp_path, server, settings=settings, environment=ENVIRONMENT) as service:
        traffic = Traffic(service, "lost")
        with traffic.flowing():
            for needle in ("/ledger/files/", "/tables/", "/ledger/intents/", "/rejected/"):
                proxy.lose_answer(method="PUT", needle=needle, times=2)
                proxy.answer(500, "InternalError", method="PUT", needle=needle, times=2)
                time.sleep(0.7)
        proxy.clear()
        settle(service)

        assert len(traffic.events) > 50
        assert_kept_once(service, traffic)
