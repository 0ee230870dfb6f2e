"""What every receiver promises, however it is reached: one suite, one fixture per way in."""

from __future__ import annotations

import gzip
import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from contract.receivers import MAX_BODY_BYTES, SOURCES, SPOOL_BYTES, InProcess, Kept, Receiver, Served
from system.processes import wait_until
from system.service import Service, running

ORDER = '{"type":"track","event":"Commande passée","messageId":"m1","properties":{"total":1e-7}}'.encode()
REFUND = b'{"type":"track","event":"Order Refunded","messageId":"m2","properties":{"total":25}}'
BATCH = b"[" + ORDER + b"," + REFUND + b"]"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with the same sources and limits; its writer rests, so that the journal can be seen."""
    secrets = {
        f"{source.name}_{at}": secret for source in SOURCES for at, secret in enumerate(source.secrets)
    }
    settings = {
        "workers": 1,
        "publish_seconds": 3_600,
        "roll_seconds": 3_600,
        "max_body_bytes": MAX_BODY_BYTES,
        "spool_bytes": SPOOL_BYTES,
    }
    sources: dict[str, dict[str, Any]] = {
        source.name: {
            "secrets": [f"env:{name}" for name in secrets if name.startswith(f"{source.name}_")]
            + [f"env:{name}" for name in source.missing],
            "unsigned": source.unsigned,
        }
        for source in SOURCES
    }
    sources["till"]["second_header"] = {"name": "X-Lake-Key", "values": ["env:LAKE_KEY"]}
    environment = {**{name: secret.decode() for name, secret in secrets.items()}, "LAKE_KEY": "lake key"}
    folder = tmp_path_factory.mktemp("served")
    with running(folder, settings=settings, sources=sources, environment=environment) as started:
        wait_until("the writer has made its first round", (started.data / ".lock").exists)
        yield started


RECEIVERS: Mapping[str, Callable[[pytest.FixtureRequest], Receiver]] = {
    "flask": lambda _: InProcess(),
    "served": lambda request: Served(request.getfixturevalue("service")),
}


@pytest.fixture(
    params=["flask", pytest.param("served", marks=pytest.mark.slow)],
)
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    made = RECEIVERS[request.param](request)
    yield made
    made.close()


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
        pytest.param("/webhook/Shop", ORDER, {}, 503, "unknown_source", id="source in capitals"),
        pytest.param("/webhook/no.slug", ORDER, {}, 404, "not_found", id="ill-formed slug"),
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
