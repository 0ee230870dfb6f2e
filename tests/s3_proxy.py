"""A proxy on loopback in front of an S3 server: it speaks real HTTP and breaks what it is told to break."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, NamedTuple
from urllib.parse import unquote, urlsplit

HOST = "127.0.0.1"
ENDLESS = 1 << 30
_BETWEEN_TWO_HOSTS = {"connection", "content-length", "transfer-encoding", "keep-alive", "expect"}


class Request(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    """With its query, percent signs undone."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class _Fault:
    method: str
    needle: str
    left: int
    act: Callable[[_Handler, Request], None]

    def fits(self, request: Request) -> bool:
        return self.left > 0 and self.method in ("", request.method) and self.needle in request.path


@dataclass
class S3Proxy:
    """
    Passes everything on to ``upstream`` until told otherwise.

    A fault is met by the next ``times`` requests whose method is ``method`` and whose path holds ``needle``;
    the fault told first goes first.
    """

    upstream: str
    endpoint: str = ""
    requests: list[Request] = field(default_factory=list)
    stripped: set[str] = field(default_factory=set)
    _faults: list[_Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _silence: threading.Event = field(default_factory=threading.Event)

    def answer(
        self, status: int, code: str, *, method: str = "", needle: str = "", times: int = ENDLESS
    ) -> None:
        """Answer with an S3 error; the server never sees the request."""
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>as told</Message></Error>"
        self.say(status, body, method=method, needle=needle, times=times)

    def say(
        self, status: int, body: str, *, method: str = "", needle: str = "", times: int = ENDLESS
    ) -> None:
        """Answer with a document; the server never sees the request."""
        reply = Answer(status, [("Content-Type", "application/xml")], body.encode())
        self._tell(method, needle, times, lambda handler, _: handler.give(reply))

    def drop(self, *, method: str = "", needle: str = "", times: int = ENDLESS) -> None:
        """Close the connection without an answer; the server never sees the request."""
        self._tell(method, needle, times, lambda handler, _: None)

    def reset(self, *, method: str = "", needle: str = "", times: int = ENDLESS) -> None:
        """Reset the connection (TCP RST) without an answer; the server never sees the request."""
        self._tell(method, needle, times, lambda handler, _: handler.reset())

    def lose_answer(self, *, method: str = "", needle: str = "", times: int = ENDLESS) -> None:
        """Pass the request on, then close the connection: done, but nobody is told."""
        self._tell(method, needle, times, lambda handler, request: handler.pass_on(request) and None)

    def cut(self, *, method: str = "", needle: str = "", times: int = ENDLESS) -> None:
        """Pass the request on and give the first half of the answer's body only."""
        self._tell(
            method, needle, times, lambda handler, request: handler.give(handler.pass_on(request), 0.5)
        )

    def corrupt(self, *, method: str = "", needle: str = "", times: int = ENDLESS) -> None:
        """Pass the request on and turn over the first byte of the answer's body."""

        def act(handler: _Handler, request: Request) -> None:
            answer = handler.pass_on(request)
            turned = bytes(byte ^ 0xFF for byte in answer.body[:1])
            handler.give(answer._replace(body=turned + answer.body[1:]))

        self._tell(method, needle, times, act)

    def hang(self, *, method: str = "", needle: str = "", times: int = ENDLESS) -> None:
        """Take the request and say nothing; the server never sees it."""
        self._tell(method, needle, times, lambda handler, _: self._silence.wait() and None)

    def call(
        self, before: Callable[[], object], *, method: str = "", needle: str = "", times: int = 1
    ) -> None:
        """Do something between the arrival of a request and passing it on."""

        def act(handler: _Handler, request: Request) -> None:
            before()
            handler.give(handler.pass_on(request))

        self._tell(method, needle, times, act)

    def strip_header(self, header: str) -> None:
        """Take this header off every request. Only for servers that check no signatures."""
        self.stripped.add(header.lower())

    def clear(self) -> None:
        """Pass everything on again, forget what was seen, and let go of what hangs."""
        with self._lock:
            self._silence.set()
            self._silence = threading.Event()
            self._faults.clear()
            self.requests.clear()
            self.stripped.clear()

    def count(self, method: str = "", needle: str = "") -> int:
        """How many requests were seen so far that a fault of this method and needle fits."""
        return sum(method in ("", each.method) and needle in each.path for each in list(self.requests))

    def methods(self, needle: str = "") -> list[str]:
        """The methods of the requests seen so far whose path holds ``needle``."""
        return [request.method for request in self.requests if needle in request.path]

    def next_act(self, request: Request) -> Callable[[_Handler, Request], None]:
        with self._lock:
            self.requests.append(request)
            for fault in self._faults:
                if fault.fits(request):
                    fault.left -= 1
                    return fault.act
        return lambda handler, passed: handler.give(handler.pass_on(passed))

    def _tell(self, method: str, needle: str, times: int, act: Callable[[_Handler, Request], None]) -> None:
        with self._lock:
            self._faults.append(_Fault(method, needle, times, act))


@contextmanager
def start_proxy(upstream: str) -> Iterator[S3Proxy]:
    """A proxy on a free port of loopback in front of ``upstream`` (``http://host:port``)."""
    proxy = S3Proxy(upstream)
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    with _Server((HOST, 0), handler) as server:
        proxy.endpoint = f"http://{HOST}:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.clear()
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    """Beyond it the kernel drops connections, and their first repetition comes after a second."""


class _Handler(BaseHTTPRequestHandler):
    proxy: ClassVar[S3Proxy]
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        self.close_connection = True
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, unquote(self.path), headers, body)
        self.proxy.next_act(request)(self, request)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815

    def pass_on(self, request: Request) -> Answer:
        """What the server answers."""
        there = urlsplit(self.proxy.upstream)
        connection = http.client.HTTPConnection(str(there.hostname), there.port, timeout=60)
        try:
            connection.putrequest(request.method, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _BETWEEN_TWO_HOSTS | self.proxy.stripped:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(request.body)))
            connection.endheaders(request.body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def reset(self) -> None:
        """Let the end of this connection be a reset: nothing lingers (socket(7))."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def give(self, answer: Answer, share: float = 1.0) -> None:
        """Send an answer, or the first part of its body under the length of the whole."""
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in _BETWEEN_TWO_HOSTS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body[: int(len(answer.body) * share)])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
