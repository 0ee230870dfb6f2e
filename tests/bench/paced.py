"""
An open-loop load: requests at planned times, whatever the server does; latency counts from the planned time.

A process of its own with one thread (``start``), so that whoever watches the service does not delay it.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import time
from array import array
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from tests.bench.events import Sent, requests
from tests.bench.load import _is_whole

PATIENCE_SECONDS = 30.0
_AGAIN_SECONDS = 0.02
"""After a refused connection."""
_RECEIVE_BYTES = 65_536
_OK = b"HTTP/1.1 200 "


class Plan(NamedTuple):
    """What is to be sent where."""

    host: str
    port: int
    source: str
    secret: str
    name: str
    per_second: float
    """Requests; 0: each connection sends its next one as soon as it has an answer, as fast as it goes."""
    seconds: float
    connections: int = 64
    slice_seconds: float = 60.0
    """Results are kept apart by the slice that a request was planned for."""


@dataclass
class Slice:
    """What was planned for one stretch of time."""

    sent: int = 0
    answered: int = 0
    """Answers with 200."""
    other: int = 0
    """Any other answer."""
    broken: int = 0
    """Connections that broke before the answer: kept or not, nobody knows."""
    events: int = 0
    """In requests answered with 200."""
    acknowledged: array[int] = field(default_factory=lambda: array("q"))
    """Of each of these requests the number of its first event, and how many it has."""
    latencies_ms: array[float] = field(default_factory=lambda: array("d"))
    """From the planned time to the whole answer; sorted at the end."""

    def latency_ms(self, share: float) -> float:
        """The latency that ``share`` of the requests, 0 to 1, did not exceed."""
        if not self.latencies_ms:
            return float("nan")
        return self.latencies_ms[min(len(self.latencies_ms) - 1, int(share * len(self.latencies_ms)))]


@dataclass
class Result:
    """What a load came to."""

    slices: list[Slice]
    client_cores: float
    """Cores that the generator itself kept busy."""
    late_ms: tuple[float, float]
    """How long after the planned time requests were sent, though a connection was free: p99, longest."""
    waited: int
    """Requests that had to wait for a free connection."""

    def total(self, name: str) -> int:
        return sum(int(getattr(each, name)) for each in self.slices)

    def acknowledged(self) -> Iterator[int]:
        """Numbers of all events in requests answered with 200."""
        for each in self.slices:
            for first, size in zip(each.acknowledged[::2], each.acknowledged[1::2], strict=True):
                yield from range(first, first + size)


@dataclass(eq=False, slots=True)
class _Line:
    """A connection, with at most one request outstanding."""

    socket: socket.socket | None = None
    due: float = 0.0
    sent: Sent | None = None
    answer: bytes = b""
    not_before: float = 0.0


class _Generator:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._free = deque(_Line() for _ in range(plan.connections))
        self._selector = selectors.SelectSelector()  # epoll waits for whole milliseconds only
        self._slices = [Slice() for _ in range(max(1, round(plan.seconds / plan.slice_seconds)))]
        self._late_ms = array("d")
        self._waited = 0
        self._busy = 0

    def run(self, stopping: Pipe) -> Result:
        plan, source = self._plan, requests(
            self._plan.name, self._plan.host, self._plan.source, self._plan.secret
        )  # fmt: skip
        upcoming = next(source)
        step = 1 / plan.per_second if plan.per_second else 0.0
        cpu, self._began = time.process_time(), time.perf_counter()
        due, end = self._began, self._began + plan.seconds
        seen_full = False
        while True:
            now = time.perf_counter()
            if now >= end or due >= end or self._asked(stopping, now):
                break
            if not step:
                due = now
            if due <= now and self._free and self._free[0].not_before <= now:
                if step:
                    if seen_full:
                        self._waited += 1
                    else:
                        self._late_ms.append((now - due) * 1_000)
                self._send(self._free.popleft(), upcoming, due)
                upcoming, due = next(source), due + step
                seen_full = seen_full and due <= now
                if due <= time.perf_counter():
                    self._receive(0)  # answers are as urgent as sending
                continue
            seen_full = seen_full or due <= now
            self._receive(min(0.05, due - now) if due > now else 0.005)
        deadline = time.perf_counter() + PATIENCE_SECONDS
        while self._busy and time.perf_counter() < deadline:
            self._receive(0.05)
        cores = (time.process_time() - cpu) / (time.perf_counter() - self._began)
        return self._result(cores)

    _asked_at = 0.0

    def _asked(self, stopping: Pipe, now: float) -> bool:
        if now - self._asked_at < 0.05:
            return False
        self._asked_at = now
        return stopping.poll()

    def _slice(self, due: float) -> Slice:
        at = int((due - self._began) / self._plan.slice_seconds)
        return self._slices[min(at, len(self._slices) - 1)]

    def _send(self, line: _Line, sent: Sent, due: float) -> None:
        self._slice(due).sent += 1
        line.due, line.sent, line.answer = due, sent, b""
        for _ in range(2):  # the server may have closed an idle connection meanwhile
            try:
                if line.socket is None:
                    line.socket = self._connected()
                line.socket.sendall(sent.head_and_body)
            except ConnectionRefusedError:
                line.not_before = time.perf_counter() + _AGAIN_SECONDS
                break
            except OSError:
                self._close(line)
            else:
                self._selector.register(line.socket, selectors.EVENT_READ, line)
                self._busy += 1
                return
        self._slice(due).broken += 1
        self._free.append(line)

    def _connected(self) -> socket.socket:
        opened = socket.create_connection((self._plan.host, self._plan.port), PATIENCE_SECONDS)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def _receive(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            line = key.data
            try:
                part = line.socket.recv(_RECEIVE_BYTES)
            except OSError:
                part = b""
            line.answer += part
            if not part or _is_whole(line.answer):
                self._selector.unregister(line.socket)
                self._busy -= 1
                self._count(line, whole=bool(part))
                self._free.append(line)

    def _count(self, line: _Line, *, whole: bool) -> None:
        assert line.sent is not None
        into = self._slice(line.due)
        if not whole:
            into.broken += 1
            self._close(line)
            return
        into.latencies_ms.append((time.perf_counter() - line.due) * 1_000)
        if line.answer.startswith(_OK):
            into.answered += 1
            into.events += line.sent.events
            into.acknowledged.extend((line.sent.first, line.sent.events))
        else:
            into.other += 1

    @staticmethod
    def _close(line: _Line) -> None:
        if line.socket is not None:
            line.socket.close()
            line.socket = None

    def _result(self, cores: float) -> Result:
        self._slices[-1].broken += self._busy
        for each in self._slices:
            each.latencies_ms = array("d", sorted(each.latencies_ms))
        late = sorted(self._late_ms) or [0.0]
        return Result(self._slices, cores, (late[int(0.99 * (len(late) - 1))], late[-1]), self._waited)


def _process(plan: Plan, pipe: Pipe) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()
    generator = _Generator(plan)
    gc.freeze()
    gc.disable()  # nothing here makes cycles
    result = generator.run(pipe)
    if os.getppid() == parent:
        pipe.send(result)


class Running:
    """A load under way."""

    def __init__(self, process: BaseProcess, pipe: Pipe) -> None:
        self._process, self._pipe = process, pipe

    @property
    def alive(self) -> bool:
        """True until there is a result, or the process died."""
        return self._process.is_alive() and not self._pipe.poll()

    def stop(self) -> Result:
        """Send no more; wait for what is outstanding."""
        with suppress(BrokenPipeError):  # it has ended by itself
            self._pipe.send("stop")
        return self.result()

    def result(self) -> Result:
        """Raises ``EOFError``: the generator died."""
        result: Result = self._pipe.recv()
        self._process.join()
        return result


@contextmanager
def load(plan: Plan) -> Iterator[Running]:
    """Start the load; the process is gone on leaving."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_process, args=(plan, there), daemon=True)
    process.start()
    there.close()
    try:
        yield Running(process, here)
    finally:
        process.kill()
        process.join()
        here.close()
