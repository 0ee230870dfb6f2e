"""Starting, stopping and losing processes: the service goes on, and no acknowledged event is lost."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from system.processes import descendants, wait_until, wait_until_ended
from system.service import HOST, Lake, Service, running, signature

pytestmark = pytest.mark.slow

SLOW = b'{"type":"track","event":"Product Viewed","messageId":"slow-upload","userId":"usr_1",'
SLOW += b'"properties":{"note":"' + b"x" * 300_000 + b'"}}'
FIRST_BYTES = 290_000
"""More than a receiver reads at once, so that its figures show the upload."""


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that no test stops or hurts."""
    with running(tmp_path_factory.mktemp("steady")) as started:
        yield started


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Its journal files stay open until somebody asks for them, so that there is always something to lose."""
    with running(tmp_path, settings={"roll_seconds": 600}) as started:
        yield started


def event(message_id: str) -> bytes:
    return (
        b'{"type":"track","event":"Product Viewed","messageId":"%b","userId":"usr_1"}' % message_id.encode()
    )


def deliver(service: Service, message_id: str) -> None:
    """Send as Segment does: a connection that breaks, as those of a killed process do, is tried again."""

    def is_taken() -> bool:
        try:
            return service.post(event(message_id)).status == 200
        except OSError:
            return False

    wait_until(f"{message_id} is taken", is_taken)


def message_ids(lake: Lake) -> list[str]:
    return [value for (value,) in lake.query("SELECT message_id FROM events ORDER BY message_id")]


def open_files(lake: Lake) -> list[Path]:
    return list(lake.journal.glob("open/*")) + list(lake.journal.glob("refused/open/*"))


def test_one_command_runs_the_receivers_and_one_writer(steady: Service) -> None:
    assert (len(steady.receivers()), len(steady.writers())) == (2, 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_stop_finishes_the_upload_in_progress_and_closes_the_journal(
    service: Service, number: signal.Signals
) -> None:
    assert service.process is not None
    everyone = descendants(service.pid)
    with socket.create_connection((HOST, service.port), timeout=30) as upload:
        head = f"POST /webhook/web HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n"
        proof = f"X-Signature: {signature(SLOW)['X-Signature']}\r\n\r\n"
        upload.sendall((head + proof).encode() + _chunk(SLOW[:FIRST_BYTES]))
        wait_until("a receiver reads the upload", lambda: _is_receiving(service))
        service.process.send_signal(number)
        wait_until("the stop is under way", lambda: "stopping" in service.log)
        upload.sendall(_chunk(SLOW[FIRST_BYTES:]) + _chunk(b""))
        answer = upload.recv(1_000)
    code = service.process.wait(30)

    assert (answer.split(b"\r\n")[0], code) == (b"HTTP/1.1 200 OK", 0)
    assert open_files(service) == []
    wait_until_ended(everyone, 5)
    service.drain()
    assert message_ids(service) == ["slow-upload"]
    assert service.fates() == {"stored": 1}


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def _is_receiving(service: Service) -> bool:
    return service.metrics().get("connector_in_flight_bytes", 0) > 0


def test_a_stop_while_the_receivers_are_still_starting_is_heard(tmp_path: Path) -> None:
    service = Service(tmp_path)
    try:
        with (tmp_path / "serve.log").open("wb") as log:
            service.process = service.popen("serve", "--port", "0", stdout=log, stderr=log)
        wait_until("the receivers are being started", lambda: len(service.receivers()) == 2)
        code = service.stop()
    finally:
        service.close()

    assert code == 0
    assert "refused to gracefully stop" not in service.log


def test_a_killed_receiver_is_replaced_and_its_events_are_adopted(service: Service) -> None:
    assert service.post(event("before")).status == 200
    before = service.receivers()

    before[0].send(signal.SIGKILL)
    for number in range(20):
        deliver(service, f"after-{number}")
    wait_until("another one listens", service.all_listen)

    assert before[0] not in service.receivers()
    service.drain()
    assert message_ids(service) == sorted(["before", *(f"after-{number}" for number in range(20))])
    assert service.fates() == {"stored": 21}


def test_a_killed_writer_is_started_again(service: Service) -> None:
    (before,) = service.writers()

    before.send(signal.SIGKILL)
    assert service.post(event("while-no-writer-runs")).status == 200
    wait_until("another writer runs", lambda: service.writers() not in ([], [before]))
    service.drain()

    assert message_ids(service) == ["while-no-writer-runs"]
    assert service.fates() == {"stored": 1}


def test_when_the_parent_of_the_receivers_is_killed_they_are_replaced_and_none_stays_behind(
    service: Service,
) -> None:
    assert service.post(event("before")).status == 200
    before = service.receivers()
    (parent,) = [each for each in service.processes("granian") if each not in before]

    parent.send(signal.SIGKILL)
    wait_until_ended(before)
    deliver(service, "after")
    assert service.stop() == 0
    service.drain()
    assert message_ids(service) == ["after", "before"]


def test_when_the_supervisor_is_killed_the_rest_ends_and_the_next_serve_adopts_everything(
    service: Service,
) -> None:
    assert service.process is not None
    assert service.post(event("before")).status == 200
    everyone = descendants(service.pid)

    service.process.kill()
    service.process.wait(30)
    service.process = None
    wait_until_ended(everyone)
    service.start()
    assert service.post(event("after")).status == 200
    service.drain()

    assert message_ids(service) == ["after", "before"]
    assert service.fates() == {"stored": 2}


def test_everything_killed_at_once_loses_nothing_that_was_acknowledged(service: Service) -> None:
    assert [service.post(event(f"kept-{number}")).status for number in range(10)] == [200] * 10

    service.kill_all()
    assert open_files(service) != [], "there is something to adopt"
    service.drain()

    assert open_files(service) == []
    assert message_ids(service) == sorted(f"kept-{number}" for number in range(10))


def test_a_second_serve_on_the_same_data_is_refused_at_once_and_told_by_whom(steady: Service) -> None:
    refused = steady.run("serve", "--port", "0")

    assert refused.returncode == 1
    assert f"already served by process {steady.pid} on " in refused.stderr.decode()


def test_a_serve_on_a_port_that_is_taken_is_refused(steady: Service, tmp_path: Path) -> None:
    # Receivers share their port, so the kernel alone would give each service a part of the events.
    another = Lake(tmp_path / "another")

    refused = another.run("serve", "--port", str(steady.port))

    assert refused.returncode == 2
    assert f"connector: port: cannot listen on {HOST}, port {steady.port}" in refused.stderr.decode()


@pytest.mark.parametrize("host", ["localhost", HOST])
def test_without_sources_any_sender_on_this_machine_is_taken_and_told_about(
    tmp_path: Path, host: str
) -> None:
    service = Service(tmp_path, sources={})
    try:
        service.start("--host", host)
        answer = service.send(event("m1"), path="/webhook/any-name")
    finally:
        service.close()

    assert answer.status == 200
    assert "development: no sources are configured" in service.log


def test_without_sources_another_address_than_loopback_is_refused(tmp_path: Path) -> None:
    refused = Lake(tmp_path, sources={}).run("serve", "--port", "0", "--host", "0.0.0.0")

    assert refused.returncode == 2
    assert "connector: sources: none is configured" in refused.stderr.decode()
