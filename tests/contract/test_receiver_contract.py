"""What every receiver promises, however it is reached: one suite, one fixture per way in."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import pytest
from flask.testing import FlaskClient

from connector.errors import CannotKeep
from connector.events import Capture, SourceKeys
from connector.receive.bodies import Limits
from connector.receive.http import create_app
from connector.receive.metrics import Metrics

NOW_MS = 1_795_297_924_123
MAX_BODY_BYTES = 60_000
SPOOL_BYTES = 20_000
SOURCES = (
    SourceKeys("web", secrets=(b"new secret", b"old secret")),
    SourceKeys("till", secrets=(b"till",), second_header="x-lake-key", second_values=(b"lake key",)),
    SourceKeys("open", unsigned=True),
    SourceKeys("unset", missing=("UNSET_SECRET",)),
)
"""What every receiver under test is configured with."""

ORDER = '{"type":"track","event":"Commande passée","messageId":"m1","properties":{"total":1e-7}}'.encode()
REFUND = b'{"type":"track","event":"Order Refunded","messageId":"m2","properties":{"total":25}}'
BATCH = b"[" + ORDER + b"," + REFUND + b"]"


class Answer(NamedTuple):
    """What came back. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Kept(NamedTuple):
    """What a receiver kept of one request, as the reader of its journal would tell."""

    source: str
    body: bytes
    proven: str
    key: int | None


class Receiver(Protocol):
    """A way in. Another receiver joins the suite by offering these and adding itself to ``RECEIVERS``."""

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer: ...

    def send_chunked(self, path: str, pieces: Sequence[bytes]) -> Answer: ...

    def kept(self) -> list[Kept]: ...

    def refused(self) -> list[Kept]: ...

    def break_journal(self) -> None:
        """From now on nothing can be kept."""


@dataclass
class _MemoryJournal:
    kept: list[Kept] = field(default_factory=list)
    refused: list[Kept] = field(default_factory=list)
    broken: bool = False

    def append(self, capture: Capture) -> None:
        self.kept.append(self._copy(capture))

    def keep_refused(self, capture: Capture) -> bool:
        self.refused.append(self._copy(capture))
        return True

    def not_ready(self) -> str | None:
        return "the disk is gone" if self.broken else None

    def close(self) -> None:
        pass

    def _copy(self, capture: Capture) -> Kept:
        if self.broken:
            raise CannotKeep("the disk is gone", retry_after_seconds=5)
        return Kept(capture.source, bytes(capture.body), capture.proven, capture.key)


class _Pieces:
    """A server's input that hands on one decoded chunk after the other."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = list(pieces)

    def read(self, size: int = -1, /) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if 0 <= size < len(piece):
            self._pieces.insert(0, piece[size:])
            piece = piece[:size]
        return piece


class InProcess:
    """The Flask app, called without a socket."""

    def __init__(self) -> None:
        self._journal = _MemoryJournal()
        app = create_app(
            self._journal,
            {keys.name: keys for keys in SOURCES}.get,
            limits=Limits(max_body_bytes=MAX_BODY_BYTES, spool_bytes=SPOOL_BYTES),
            metrics=Metrics(),
            clock_ms=lambda: NOW_MS,
        )
        self._client: FlaskClient = app.test_client()

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        return self._answer(self._client.open(path, method=method, data=body, headers=dict(headers or {})))

    def send_chunked(self, path: str, pieces: Sequence[bytes]) -> Answer:
        environ = {
            "wsgi.input": _Pieces(pieces),
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
        }
        return self._answer(self._client.post(path, environ_overrides=environ))

    def kept(self) -> list[Kept]:
        return self._journal.kept

    def refused(self) -> list[Kept]:
        return self._journal.refused

    def break_journal(self) -> None:
        self._journal.broken = True

    def _answer(self, response: Any) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.data)


RECEIVERS: Mapping[str, Callable[[], Receiver]] = {"flask": InProcess}


@pytest.fixture(params=sorted(RECEIVERS))
def receiver(request: pytest.FixtureRequest) -> Receiver:
    make: Callable[[], Receiver] = RECEIVERS[request.param]
    return make()


def signature(message: bytes, secret: bytes = b"new secret") -> dict[str, str]:
    return {"X-Signature": hmac.new(secret, message, hashlib.sha1).hexdigest()}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_signed_event_is_answered_200_and_kept_byte_for_byte(receiver: Receiver, method: str) -> None:
    answer = receiver.send(method, "/webhook/web", ORDER, signature(ORDER))

    assert answer.status == 200
    assert [Kept("web", ORDER, "all", 0)] == receiver.kept()


def test_a_batch_is_kept_as_one_body_with_what_its_signature_proves(receiver: Receiver) -> None:
    assert receiver.send("POST", "/webhook/web", BATCH, signature(ORDER)).status == 200
    assert receiver.send("POST", "/webhook/web", BATCH, signature(BATCH)).status == 200
    assert [Kept("web", BATCH, "first", 0), Kept("web", BATCH, "all", 0)] == receiver.kept()


def test_while_a_secret_is_rotated_the_old_one_is_accepted_too(receiver: Receiver) -> None:
    assert receiver.send("POST", "/webhook/web", ORDER, signature(ORDER, b"old secret")).status == 200
    assert [Kept("web", ORDER, "all", 1)] == receiver.kept()


def test_the_second_header_proves_the_whole_batch(receiver: Receiver) -> None:
    headers = {**signature(ORDER, b"till"), "X-Lake-Key": "lake key"}

    assert receiver.send("POST", "/webhook/till", BATCH, headers).status == 200
    assert [Kept("till", BATCH, "all", 0)] == receiver.kept()


@pytest.mark.parametrize("size_bytes", [SPOOL_BYTES + 1, MAX_BODY_BYTES])
def test_a_large_body_is_kept_byte_for_byte(receiver: Receiver, size_bytes: int) -> None:
    body = b'{"text":"' + b"x" * (size_bytes - 11) + b'"}'

    assert receiver.send("POST", "/webhook/web", body, signature(body)).status == 200
    assert [Kept("web", body, "all", 0)] == receiver.kept()


def test_a_chunked_body_is_kept_whole(receiver: Receiver) -> None:
    assert receiver.send_chunked("/webhook/open", [ORDER[:10], ORDER[10:11], ORDER[11:]]).status == 200
    assert [Kept("open", ORDER, "none", None)] == receiver.kept()


@pytest.mark.parametrize("message", [BATCH, ORDER, gzip.compress(BATCH, mtime=0)])
def test_a_compressed_body_is_kept_decoded_whichever_form_was_signed(
    receiver: Receiver, message: bytes
) -> None:
    headers = {"Content-Encoding": "gzip", **signature(message)}

    assert receiver.send("POST", "/webhook/web", gzip.compress(BATCH, mtime=0), headers).status == 200
    assert [each.body for each in receiver.kept()] == [BATCH]


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "code"),
    [
        pytest.param("/webhook/web", ORDER, {}, 401, "signature_missing", id="no signature"),
        pytest.param(
            "/webhook/web", ORDER, signature(REFUND), 401, "signature_mismatch", id="wrong signature"
        ),
        pytest.param("/webhook/open", b"{", {}, 400, "body_not_json", id="not JSON"),
        pytest.param("/webhook/open", b"", {}, 400, "body_not_json", id="empty"),
        pytest.param("/webhook/open", b"x" * (MAX_BODY_BYTES + 1), {}, 413, "body_too_large", id="too large"),
        pytest.param(
            "/webhook/open",
            gzip.compress(b" " * (MAX_BODY_BYTES + 1)),
            {"Content-Encoding": "gzip"},
            413,
            "body_too_large",
            id="a bomb",
        ),
        pytest.param("/webhook/nobody", ORDER, {}, 503, "unknown_source", id="unknown source"),
        pytest.param("/webhook/unset", ORDER, signature(ORDER), 503, "secret_missing", id="unset secret"),
        pytest.param("/webhook/No-Slug", ORDER, {}, 404, "not_found", id="ill-formed slug"),
        pytest.param("/elsewhere", ORDER, {}, 404, "not_found", id="another path"),
    ],
)
def test_what_is_not_kept_is_told_in_json_by_code_and_status(
    receiver: Receiver, path: str, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = receiver.send("POST", path, body, headers)

    assert (status, code) == (answer.status, answer.json["code"])
    assert answer.json["message"]
    assert answer.headers["content-type"].startswith("application/json")
    assert ("retry-after" in answer.headers) == (status == 503)
    assert (receiver.kept(), receiver.refused()) == ([], [])


def test_a_signed_body_that_is_not_json_is_kept_apart_before_it_is_refused(receiver: Receiver) -> None:
    answer = receiver.send("POST", "/webhook/web", b"not json", signature(b"not json"))

    assert (answer.status, answer.json["code"]) == (400, "body_not_json")
    assert ([], [Kept("web", b"not json", "all", 0)]) == (receiver.kept(), receiver.refused())


@pytest.mark.parametrize("body", [ORDER, b"not json"])
def test_when_nothing_can_be_kept_nothing_is_acknowledged_and_nothing_refused(
    receiver: Receiver, body: bytes
) -> None:
    receiver.break_journal()

    answer = receiver.send("POST", "/webhook/web", body, signature(body))

    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert receiver.send("GET", "/readyz").status == 503
    assert receiver.send("GET", "/healthz").status == 200


def test_another_method_is_405_with_those_that_are_allowed(receiver: Receiver) -> None:
    answer = receiver.send("DELETE", "/webhook/web")

    assert (answer.status, answer.json["code"]) == (405, "method_not_allowed")
    assert {"POST", "PUT", "PATCH"} == set(answer.headers["allow"].replace(" ", "").split(","))


def test_it_is_ready_alive_and_tells_its_figures(receiver: Receiver) -> None:
    assert [receiver.send("GET", path).status for path in ("/healthz", "/readyz", "/metrics")] == [
        200,
        200,
        200,
    ]
