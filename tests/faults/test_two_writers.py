"""Two of what there should be one of, started by mistake (C21): one refuses, or they take turns."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faults.rounds import ENVIRONMENT, SETTINGS
from faults.traffic import Traffic, assert_kept_once, settle
from system.processes import wait_until
from system.service import Service, running

pytestmark = pytest.mark.slow


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path, settings=SETTINGS, environment=ENVIRONMENT) as started:
        yield started


@contextmanager
def another_writer(service: Service) -> Iterator[subprocess.Popen[bytes]]:
    """A writer that no serve has started."""
    with (service.folder / "second.log").open("wb") as log:
        command = [sys.executable, "-m", "connector.writer"]
        process = subprocess.Popen(command, env=service.variables, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def test_a_second_serve_under_traffic_refuses_and_names_the_first(service: Service) -> None:
    traffic = Traffic(service, "second-serve")
    with traffic.flowing():
        refused = service.run("serve", "--port", "0")
        traffic.goes_on()
    settle(service)

    assert refused.returncode == 1
    assert f"already served by process {service.pid} on " in refused.stderr.decode()
    assert_kept_once(service, traffic)


def test_a_second_writer_process_takes_turns_with_the_first_and_nothing_is_twice(service: Service) -> None:
    traffic = Traffic(service, "second-writer")
    second_log = service.folder / "second.log"
    with another_writer(service) as second:
        with traffic.flowing():
            wait_until("it writes as well", lambda: b"wrote" in second_log.read_bytes())
            traffic.goes_on()
        settle(service)
        assert second.poll() is None, second_log.read_text()

    assert_kept_once(service, traffic)
    raw = service.query("SELECT count(*), count(DISTINCT message_id) FROM events_raw")
    assert raw == [(len(traffic.events), len(traffic.events))]


def test_of_two_writers_one_is_killed_at_any_moment(service: Service) -> None:
    traffic = Traffic(service, "killed-writer")
    with traffic.flowing():
        for _ in range(3):
            with another_writer(service) as second:
                second_log = service.folder / "second.log"
                wait_until("it writes as well", lambda log=second_log: b"wrote" in log.read_bytes())
                second.kill()
        traffic.goes_on()
    settle(service)

    assert_kept_once(service, traffic)
