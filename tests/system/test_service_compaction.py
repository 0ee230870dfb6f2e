"""The service compacts by itself, beside the writer and beside readers."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import orjson
import pytest
from s3_servers import S3Server
from system.processes import wait_until
from system.s3_service import running_in_s3
from system.service import Service, running, signature

from connector.sample import sample_events

pytestmark = pytest.mark.slow

SETTINGS = {"publish_seconds": 0.1, "roll_seconds": 0.2, "compact_seconds": 0.3, "grace_seconds": 0.5}
EVENTS = [orjson.dumps(event) for event in sample_events(events=60, days=2, seed=5)]


def janitor(service: Service) -> list:
    return service.processes("connector.janitor")


def send_and_write(service: Service, bodies: list[bytes]) -> None:
    """Each body becomes a captured file of its own."""
    for body in bodies:
        assert service.send(body, signature(body)).status == 200
        service.drain()


def test_small_files_are_merged_and_copies_go_without_anybody_asking(tmp_path: Path) -> None:
    with running(tmp_path, settings=SETTINGS) as service:
        send_and_write(service, [*EVENTS[:5], *EVENTS[:3]])
        rows = service.query("SELECT * FROM events ORDER BY row_id")
        (first,) = janitor(service)
        first.send(signal.SIGKILL)

        wait_until("another janitor has merged", lambda: service.fates().get("duplicate") == 3, 30)
        wait_until("replaced files are gone", lambda: service.audit()["old_files"] == 0, 30)

        assert service.query("SELECT * FROM events ORDER BY row_id") == rows
        assert service.query("SELECT count(*) FROM events_raw") == [(len(rows),)]
        assert janitor(service) != [first]
        assert b"connector_compacted_files_total" in service.get("/metrics").body


def test_in_s3_too(tmp_path: Path, moto: S3Server) -> None:
    with running_in_s3(tmp_path, moto, settings=SETTINGS) as service:
        send_and_write(service, [*EVENTS[:4], *EVENTS[:2]])
        rows = service.query("SELECT * FROM events ORDER BY row_id")

        janitor(service)[0].send(signal.SIGKILL)
        wait_until("it has merged", lambda: service.fates().get("duplicate") == 2, 30)
        wait_until("replaced files are gone", lambda: service.audit()["old_files"] == 0, 30)

        assert service.query("SELECT * FROM events ORDER BY row_id") == rows


def test_readers_see_every_row_once_while_files_come_and_go(tmp_path: Path) -> None:
    """A view that is opened again and again never loses a row it has shown, nor shows one twice."""
    with running(tmp_path, settings={**SETTINGS, "grace_seconds": 5}) as service:
        stopping, seen, wrong = threading.Event(), [0], []

        def read() -> None:
            while not stopping.is_set():
                ((rows, distinct),) = service.query("SELECT count(*), count(DISTINCT row_id) FROM events")
                if rows != distinct or rows < seen[0]:
                    wrong.append((rows, distinct, seen[0]))
                seen[0] = max(seen[0], rows)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            for first in range(0, 12, 2):
                send_and_write(service, EVENTS[first : first + 2])
                service.ok("compact")
        finally:
            stopping.set()
            reader.join()

        assert wrong == []
        assert seen[0] > 0
        service.audit()
