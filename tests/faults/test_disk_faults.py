"""Disks of the running service that are full or read-only: 503 while nothing can be kept, no loss (C8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from faults.memory import megabytes_of
from faults.mounts import fill, read_only, small_disk
from faults.results import note
from s3_proxy import S3Proxy
from s3_servers import S3Server
from system.processes import wait_until
from system.s3_service import running_in_s3
from system.service import Answer, Service, running

pytestmark = pytest.mark.slow

SETTINGS = {"workers": 1, "publish_seconds": 0.1, "roll_seconds": 0.2}
OUTAGES = [(503, "SlowDown"), (403, "AccessDenied")] * 3
MEMORY_MAY_GROW_MEGABYTES = 32
"""Of all processes together, from the first two outages to the last."""


class Sender:
    """Sends events and remembers which were acknowledged."""

    def __init__(self, service: Service, padding_bytes: int = 0) -> None:
        self.service = service
        self.padding = "x" * padding_bytes
        self.acknowledged: list[str] = []
        self.refused = 0
        self._sent = 0

    def send(self) -> Answer:
        self._sent += 1
        message_id = f"d-{self._sent}"
        text = (
            f'{{"type":"track","event":"Product Viewed","messageId":"{message_id}","userId":"usr_1",'
            f'"timestamp":"2026-03-14T17:10:31.891Z","properties":{{"note":"{self.padding}"}}}}'
        )
        answer = self.service.post(text.encode())
        assert answer.status in (200, 503), answer
        if answer.status == 200:
            self.acknowledged.append(message_id)
        else:
            self.refused += 1
        return answer

    def until(self, status: int) -> Answer:
        answer = self.send()
        wait_until(f"an event is answered {status}", lambda: self.send().status == status)
        return self.send() if answer.status != status else answer

    def everything_landed_once(self, fault: str) -> None:
        """Of a service that is whole again."""
        self.service.drain()
        assert self.service.audit()["fates"]["stored"] >= len(self.acknowledged)
        found = Counter(
            value for (value,) in self.service.query("SELECT message_id FROM events WHERE line_index IS NULL")
        )
        assert [each for each in self.acknowledged if found[each] != 1] == []
        note(
            "full and read-only disks",
            fault=fault,
            acknowledged=len(self.acknowledged),
            answered_503=self.refused,
            lost=0,
            twice=0,
        )


def says_come_again(answer: Answer, code: str) -> bool:
    return (answer.status, answer.json["code"], int(answer.headers["retry-after"]) > 0) == (503, code, True)


def not_ready(service: Service) -> str:
    """What ``/readyz`` says; ``/healthz`` goes on being well."""
    assert service.get("/healthz").status == 200
    answer = service.get("/readyz")
    return answer.json["message"] if answer.status == 503 else ""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", megabytes=16) as mounted:
        yield mounted


def service_with(tmp_path: Path, **settings: object) -> AbstractContextManager[Service]:
    return running(tmp_path / "service", settings={**SETTINGS, **settings})


def test_a_full_journal_disk_is_503_until_there_is_room_again(tmp_path: Path, disk: Path) -> None:
    with service_with(tmp_path, journal=str(disk / "journal")) as service:
        sender = Sender(service)
        assert sender.send().status == 200
        ballast = fill(disk)

        refused = sender.until(503)
        assert says_come_again(refused, "journal_failed"), refused
        assert "cannot be written" in not_ready(service)
        ballast.unlink()
        sender.until(200)
        wait_until("it is ready", service.ready)

        sender.everything_landed_once("no space in the journal")


def test_below_its_reserve_the_receiver_refuses_and_the_writer_goes_on(tmp_path: Path, disk: Path) -> None:
    settings = {"data": str(disk / "data"), "journal_reserve_bytes": 8 << 20}
    with service_with(tmp_path, **settings) as service:
        service.settings = settings
        sender = Sender(service)
        assert sender.send().status == 200
        ballast = disk / "ballast"
        ballast.write_bytes(b"\0" * (10 << 20))

        refused = sender.until(503)
        assert says_come_again(refused, "journal_no_room"), refused
        assert "nearly full" in not_ready(service)
        wait_until("what was taken is written", lambda: not list((disk / "data/journal/closed").glob("*")))
        ballast.unlink()
        sender.until(200)

        assert service.run("drain").returncode == 0
        assert service.run("audit").returncode == 0


def test_a_full_data_disk_keeps_events_in_the_journal(tmp_path: Path, disk: Path) -> None:
    with service_with(tmp_path, data=str(disk / "data"), journal=str(tmp_path / "journal")) as service:
        sender = Sender(service)
        ballast = fill(disk)

        assert [sender.send().status for _ in range(5)] == [200] * 5
        wait_until("the log says so", lambda: fill(disk) and "No space left on device" in service.log)
        assert service.ready(), "the journal has room"
        assert sender.send().status == 200
        ballast.unlink()
        service.drain()

        rows = service.ok("sql", "SELECT message_id FROM events").splitlines()[1:]
        assert sorted(rows) == sorted(sender.acknowledged)
        assert service.run("audit").returncode == 0


def test_a_read_only_journal_is_503_until_it_can_be_written(tmp_path: Path) -> None:
    with service_with(tmp_path) as service:
        sender = Sender(service)
        assert sender.send().status == 200

        with read_only(service.journal / "open"):
            refused = sender.until(503)
            assert says_come_again(refused, "journal_failed"), refused
            wait_until("/readyz says why", lambda: "cannot be written" in not_ready(service))
        sender.until(200)

        sender.everything_landed_once("a read-only journal")


@pytest.mark.parametrize("folder", [".staging", "ledger", "tables"])
def test_a_read_only_data_folder_keeps_events_in_the_journal(tmp_path: Path, folder: str) -> None:
    with service_with(tmp_path) as service:
        sender = Sender(service)
        sender.send()
        service.drain()

        with read_only(service.data / folder):
            assert [sender.send().status for _ in range(5)] == [200] * 5
            wait_until("the log says so", lambda: "this round did not finish" in service.log)
            assert service.ready()

        sender.everything_landed_once(f"{folder} is read-only")


def test_while_the_store_is_gone_events_are_taken_up_to_the_limit_and_memory_stays_flat(
    tmp_path: Path, proxied: tuple[S3Proxy, S3Server]
) -> None:
    proxy, server = proxied
    patience = {"attempts": 2, "connect_timeout_seconds": 1, "read_timeout_seconds": 1}
    settings = {**SETTINGS, "journal_max_bytes": 4 << 20, "s3": patience}
    with running_in_s3(tmp_path, server, settings=settings) as service:
        sender = Sender(service, padding_bytes=200_000)
        sender.send()
        service.drain()
        megabytes = []
        for status, code in OUTAGES:
            proxy.answer(status, code)
            taken = len(sender.acknowledged)
            refused = sender.until(503)

            assert len(sender.acknowledged) - taken >= 10
            assert says_come_again(refused, "journal_backlog"), refused
            assert "more unwritten files than it may" in not_ready(service)
            proxy.clear()
            sender.until(200)
            wait_until("it is ready", service.ready)
            megabytes.append(megabytes_of(service))

        assert max(megabytes[2:]) - max(megabytes[:2]) < MEMORY_MAY_GROW_MEGABYTES, megabytes
        sender.everything_landed_once(f"the store is gone and the journal full, {len(OUTAGES)} times")
