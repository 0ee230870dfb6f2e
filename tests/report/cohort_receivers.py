"""Receivers of cohorts for tests: one in memory, and HTTP servers on loopback that answer as told."""

from __future__ import annotations

import http.server
import json
import socket
import struct
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from connector.cohorts.catalogue import Cohort
from connector.cohorts.channels import Channel, Outcome, Page
from connector.cohorts.contacts import Contact, unreachable
from connector.cohorts.definition import definition_of
from connector.cohorts.delivering import RETRIES, Line, Patience
from connector.cohorts.sessions import Sessions
from connector.saved import Files, Lease

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Crash(BaseException):
    """The process dies here."""


class Receiver:
    """Who is in, at a receiver that dedupes by cohort and person."""

    def __init__(self) -> None:
        self.people: set[str] = set()
        self.requests = 0
        self._replacing = ""

    def take(self, action: str, session: str, uids: Collection[str]) -> None:
        self.requests += 1
        if action == "members" and self._replacing != session:
            self._replacing = session
            self.people.clear()
        if action == "remove_members":
            self.people.difference_update(uids)
        else:
            self.people.update(uids)


class MemoryChannel:
    """A channel to a ``Receiver``; ``faults`` says, delivery by delivery, what goes wrong: see ``FAULTS``."""

    kind = "memory"
    columns: tuple[str, ...] = ()

    def __init__(self, receiver: Receiver, *, replaces: bool = True, page_people: int = 2) -> None:
        self.receiver = receiver
        self.replaces = replaces
        self.page_people = page_people
        self.faults: list[str] = []
        self.pages: list[Page] = []

    def unreachable(self, contact: Contact) -> str | None:
        return unreachable(contact, "email")

    def deliver(self, page: Page) -> Outcome:
        fault = self.faults.pop(0) if self.faults else "none"
        if fault == "fails for long":
            fault = "fails before"
            self.faults[:0] = [fault] * RETRIES
        if fault == "dies before":
            raise Crash
        if fault not in ("fails before", "refuses"):
            self.pages.append(page)
            self.receiver.take(page.action, page.session, [person.uid for person in page.people])
        if fault == "dies after":
            raise Crash
        if fault == "refuses":
            return Outcome("refused", 403, "the receiver answered 403")
        return Outcome("again", 500, "the receiver answered 500") if "fails" in fault else Outcome("ok", 200)

    def close(self) -> None:
        """Nothing is open."""


FAULTS = ("none", "fails before", "fails after", "fails for long", "dies before", "dies after", "refuses")


def cohort_of(name: str = "Droppers") -> Cohort:
    definition = definition_of(
        {"name": name, "description": "Who did not buy.", "conditions": {"did": "x"}}, "test"
    )
    return Cohort(name.lower(), 1, definition)


class Waits(list[float]):
    """Pauses that were asked for, and a clock that goes on by them alone."""

    def patience(self) -> Patience:
        return Patience(self.append, lambda: sum(self))


def line_of(
    files: Files,
    channel: Channel,
    *,
    contacts: Callable[[Collection[str]], Mapping[str, Contact]] | None = None,
    expose: Callable[[bytes, str], None] | None = None,
    waits: Waits | None = None,
    cohort: Cohort | None = None,
) -> Line:
    """A line to a channel; everybody has an email address unless ``contacts`` says otherwise."""
    of = cohort or cohort_of()
    sessions = Sessions(files, of.id, "channel")
    return Line(
        cohort=of,
        channel_name="channel",
        channel=channel,
        sessions=sessions,
        lease=Lease(files, sessions.folder, f"cohort {of.id} is being sent to channel"),
        contacts=contacts or with_email,
        expose=expose or (lambda messages, name: None),
        now_ms=lambda: round(NOW.timestamp() * 1_000),
        patience=(waits if waits is not None else Waits()).patience(),
    )


def with_email(people: Collection[str]) -> dict[str, Contact]:
    return {uid: {"email": f"{uid}@example.com", "first_name": uid.title()} for uid in people}


class Request(NamedTuple):
    """What a server was sent."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Answering:
    """A server that records every request and answers as ``answers`` says, then with success."""

    def __init__(self, answers: list[Any], port: int) -> None:
        self.answers = answers
        self.requests: list[Request] = []
        self.port = port
        self.url = f"http://127.0.0.1:{port}/cohorts"


@contextmanager
def answering(*answers: Any) -> Iterator[Answering]:
    """
    A running server.

    Args:
        answers: for a request each: a status, ``(status, body)``, ``(status, body, headers)``, or ``reset``.
    """
    state: Answering

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.requests.append(Request(self.path, headers, body))
            answer = state.answers.pop(0) if state.answers else 200
            if answer == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            status, content, more = (
                (*answer, None, None)[:3] if isinstance(answer, tuple) else (answer, None, None)
            )
            content = _success(body) if content is None else content
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **(more or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing on the test's output."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A connection that was reset on purpose."""

    with Server(("127.0.0.1", 0), Handler) as server:
        state = Answering(list(answers), server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


def _success(body: bytes) -> bytes:
    try:
        action = json.loads(body)["action"]
    except (ValueError, KeyError, TypeError):
        action = None
    return json.dumps({"action": action, "status": "success"}).encode()
