"""A load generator: prepared requests over keep-alive connections, one outstanding each, from one thread."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle

_PATIENCE_SECONDS = 20.0
_RECEIVE_BYTES = 65_536
_OK = b"HTTP/1.1 200 "
_LENGTH = b"content-length:"


@dataclass(slots=True)
class Load:
    """What a load came to."""

    answered: int = 0
    """Answers with 200, those before and after the timed part included."""
    other: int = 0
    """Any other answer."""
    seconds: float = 0.0
    """Length of the timed part."""
    latencies_ms: list[float] = field(default_factory=list)
    """From sending to the whole answer, of the timed part, sorted."""
    client_cores: float = 0.0
    """Cores that this client itself kept busy."""

    @property
    def per_second(self) -> float:
        return len(self.latencies_ms) / self.seconds

    def latency_ms(self, share: float) -> float:
        """The latency that ``share`` of the requests, 0 to 1, did not exceed."""
        return self.latencies_ms[min(len(self.latencies_ms) - 1, int(share * len(self.latencies_ms)))]


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    sent_at: float = 0.0
    answer: bytes = b""

    def send(self, request: bytes) -> None:
        """A request fits into the empty send buffer, so this does not wait for the server."""
        self.answer = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take what is there; True when the answer is whole."""
        part = self.socket.recv(_RECEIVE_BYTES)
        if not part:
            raise ConnectionError("the server closed a connection under load")
        self.answer += part
        return _is_whole(self.answer)


def _is_whole(answer: bytes) -> bool:
    head, gap, body = answer.partition(b"\r\n\r\n")
    if not gap:
        return False
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(_LENGTH)]
    return len(body) >= int(lengths[0][len(_LENGTH) :])


def drive(
    address: tuple[str, int],
    requests: Sequence[bytes],
    *,
    connections: int,
    seconds: float,
    warm_up_seconds: float,
) -> Load:
    """Send the requests, from the first again when they run out, and wait for the last answer.

    Raises:
        ConnectionError: the server closed a connection, or an answer stayed out.
    """
    waiting = cycle(requests)
    opened = [_Connection(socket.create_connection(address, _PATIENCE_SECONDS)) for _ in range(connections)]
    try:
        return _run(opened, waiting, seconds, warm_up_seconds)
    finally:
        for connection in opened:
            connection.socket.close()


def _run(
    opened: list[_Connection], requests: Iterator[bytes], seconds: float, warm_up_seconds: float
) -> Load:
    load, outstanding = Load(seconds=seconds), len(opened)
    with selectors.DefaultSelector() as selector:
        cpu_before, began = time.process_time(), time.perf_counter()
        for connection in opened:
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(next(requests))
        timed_from = began + warm_up_seconds
        timed_to = timed_from + seconds
        while outstanding:
            ready = selector.select(_PATIENCE_SECONDS)
            if not ready:
                raise ConnectionError(f"no answer within {_PATIENCE_SECONDS:.0f} s")
            for key, _ in ready:
                connection = key.data
                if not connection.receive():
                    continue
                now = time.perf_counter()
                _count(load, connection, now, timed_from <= now < timed_to)
                if now < timed_to:
                    connection.send(next(requests))
                else:
                    outstanding -= 1
        load.client_cores = (time.process_time() - cpu_before) / (time.perf_counter() - began)
    load.latencies_ms.sort()
    return load


def _count(load: Load, connection: _Connection, now: float, timed: bool) -> None:
    if connection.answer.startswith(_OK):
        load.answered += 1
    else:
        load.other += 1
    if timed:
        load.latencies_ms.append((now - connection.sent_at) * 1_000)
