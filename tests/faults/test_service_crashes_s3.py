"""The same as on disk, with the tables in S3: whatever dies, what was answered 200 is in the tables once."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from faults.traffic import SECRET, Traffic, assert_kept_once, hurt, settle
from s3_proxy import S3Proxy
from s3_servers import S3Server
from system.processes import wait_until
from system.s3_service import running_in_s3

pytestmark = pytest.mark.slow

ROUNDS = 3


def test_whatever_is_killed_under_traffic_every_acknowledged_event_is_in_the_bucket_exactly_once(
    tmp_path: Path, seaweed: S3Server
) -> None:
    dice = random.Random(20261122)
    settings = {"publish_seconds": 0.1, "roll_seconds": 0.2}
    with running_in_s3(tmp_path, seaweed, settings=settings, environment={"WEB_SECRET": SECRET}) as service:
        for seed in range(ROUNDS):
            traffic = Traffic(service, seed)
            with traffic.flowing():
                for _ in range(2):
                    time.sleep(dice.uniform(0.2, 0.6))
                    hurt(service, dice)
                wait_until("events are taken again", lambda: service.all_listen() and service.ready(), 60)
                time.sleep(0.1)
            settle(service)
            assert len(traffic.events) > 50
            assert_kept_once(service, traffic)


def test_answers_that_are_lost_and_refusals_in_between_make_nothing_twice(
    tmp_path: Path, proxied: tuple[S3Proxy, S3Server]
) -> None:
    """C24, C25 and C30: the store did it and nobody heard, or it did not and said so."""
    proxy, server = proxied
    patience = {"attempts": 2, "connect_timeout_seconds": 1, "read_timeout_seconds": 2}
    settings = {"publish_seconds": 0.1, "roll_seconds": 0.2, "s3": patience}
    with running_in_s3(tmp_path, server, settings=settings, environment={"WEB_SECRET": SECRET}) as service:
        traffic = Traffic(service, ROUNDS)
        with traffic.flowing():
            for needle in ("/ledger/files/", "/tables/", "/ledger/intents/", "/rejected/"):
                proxy.lose_answer(method="PUT", needle=needle, times=2)
                proxy.answer(500, "InternalError", method="PUT", needle=needle, times=2)
                time.sleep(0.7)
        proxy.clear()
        settle(service)

        assert len(traffic.events) > 50
        assert_kept_once(service, traffic)
