"""Strangers who promise, dawdle and crowd in: webhooks of senders who hold a secret go on being taken."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import re
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from system.processes import wait_until
from system.service import HOST, SOURCES, Service, running, signature

from connector.config import load_settings
from connector.s3.config import S3Config
from connector.serve import check_store, once

pytestmark = pytest.mark.slow

THREADS = 32
ANSWER_SECONDS = 5
"""Segment waits no longer for a webhook (segment-delivery 1.3)."""
EVENT = b'{"type":"track","event":"Order Completed","messageId":"m1","userId":"usr_1"}'
SDK = {"app": {"write_keys": ["env:APP_WRITE_KEY"]}}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One receiver process, so that every stranger comes to the same one."""
    with running(
        tmp_path_factory.mktemp("strangers"),
        settings={"workers": 1, "threads": THREADS},
        sources={**SOURCES, **SDK},
        environment={"APP_WRITE_KEY": "app-write-key"},
    ) as started:
        yield started


def head(path: str, length: int) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n".encode()


@contextlib.contextmanager
def crowd(service: Service, *heads: bytes) -> Iterator[list[socket.socket]]:
    """Connections that send a head, or nothing, and then wait."""
    with contextlib.ExitStack() as opened:
        connections = []
        for each in heads:
            connection = opened.enter_context(socket.create_connection((HOST, service.port), timeout=20))
            connection.sendall(each)
            connections.append(connection)
        yield connections


def webhook_statuses(service: Service, requests: int = 10) -> set[int]:
    """Of signed webhooks, each over a connection of its own that gives up when Segment would."""
    statuses = set()
    for _ in range(requests):
        connection = http.client.HTTPConnection(HOST, service.port, timeout=ANSWER_SECONDS)
        with contextlib.closing(connection):
            connection.request("POST", "/webhook/web", EVENT, signature(EVENT))
            statuses.add(connection.getresponse().status)
    return statuses


def status_line(connection: socket.socket) -> bytes:
    return connection.recv(4_000).split(b"\r\n")[0]


def test_bytes_that_are_announced_and_never_sent_keep_nobody_out(service: Service) -> None:
    largest = 128 * 1024 * 1024
    nobody, known = head("/webhook/nosuch", largest), head("/webhook/till", largest)

    with crowd(service, *[nobody, known] * 12) as connections:
        answers = {status_line(connection) for connection in connections[::2]}
        statuses = webhook_statuses(service)
        in_flight = service.metrics()["connector_in_flight_bytes"]

    assert answers == {b"HTTP/1.1 503 Service Unavailable"}
    assert (statuses, in_flight) == ({200}, 0)


def test_a_refusal_is_a_line_with_its_time_and_without_what_was_asked_for(service: Service) -> None:
    service.send(EVENT, path="/webhook/nosuch")
    line = r"^\d{4}-\d\d-\d\d [\d:,]+ WARNING .*: source unknown: .* 503 unknown_source"

    assert re.search(line, service.log, re.MULTILINE)
    assert "nosuch" not in service.log


def test_slow_senders_with_write_keys_leave_half_of_the_threads(service: Service) -> None:
    before = service.metrics().get("connector_public_busy_total", 0)

    with crowd(service, *[head("/v1/t", 1_000)] * 70):
        wait_until(
            "those beyond the half are turned away",
            lambda: service.metrics()["connector_public_busy_total"] - before >= 70 - THREADS // 2,
        )
        statuses = webhook_statuses(service)
        told = service.send(EVENT, path="/v1/t")

    assert statuses == {200}
    assert (told.status, told.json["code"], told.headers["retry-after"]) == (503, "public_busy", "1")


def test_connections_that_send_nothing_keep_nobody_out(service: Service) -> None:
    with crowd(service, *[b""] * 300) as connections:
        assert webhook_statuses(service) == {200}
        connections[0].settimeout(20)

        assert connections[0].recv(1) == b""


LIMITED = """
import resource
from connector.wsgi import raise_file_limit
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
raise_file_limit()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_a_receiver_opens_as_many_files_as_the_system_allows() -> None:
    ran = subprocess.run([sys.executable, "-c", LIMITED], check=True, capture_output=True, text=True)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]

    assert int(ran.stdout) == (65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536))


class TestAStoreThatNeverAnswers:
    def test_it_is_asked_once_and_what_is_received_is_kept_meanwhile(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}.items():
            monkeypatch.setenv(name, value)
        accepted: list[socket.socket] = []
        with socket.create_server((HOST, 0)) as server, contextlib.ExitStack() as opened:

            def accept() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        accepted.append(opened.enter_context(server.accept()[0]))

            threading.Thread(target=accept, daemon=True).start()
            settings = load_settings(
                data="s3://lake",
                journal=tmp_path / "journal",
                s3={
                    "endpoint": f"http://{HOST}:{server.getsockname()[1]}",
                    "region": "us-east-1",
                    "read_timeout_seconds": 0.2,
                    "attempts": 3,
                },
            )
            notes = check_store(settings)

        assert len(accepted) == 1
        assert len(notes) == 1
        assert "events are kept in the journal until s3://lake can be written" in notes[0]

    def test_it_is_given_a_few_seconds_and_never_more_than_is_configured(self) -> None:
        assert once(S3Config(region="r")) == S3Config(
            region="r", attempts=1, connect_timeout_seconds=2.0, read_timeout_seconds=3.0
        )
        quick = S3Config(connect_timeout_seconds=0.1, read_timeout_seconds=0.2)
        assert once(quick) == dataclasses.replace(quick, attempts=1)
