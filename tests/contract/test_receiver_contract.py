"""What every receiver promises, however it is reached: one suite, one fixture per way in."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping

import pytest
from contract.receivers import (
    MAX_BODY_BYTES,
    PUBLIC_BODY_BYTES,
    SOURCES,
    SPOOL_BYTES,
    InProcess,
    Invoked,
    Kept,
    Receiver,
    Served,
    as_configured,
)
from system.processes import wait_until
from system.service import Service, running

ORDER = '{"type":"track","event":"Commande passée","messageId":"m1","properties":{"total":1e-7}}'.encode()
REFUND = b'{"type":"track","event":"Order Refunded","messageId":"m2","properties":{"total":25}}'
BATCH = b"[" + ORDER + b"," + REFUND + b"]"
SDK_BATCH = b'{"batch":' + BATCH + b',"sentAt":"2026-11-21T21:18:29.703Z","writeKey":"app-write-key"}'
TOO_MANY = b'{"batch":[' + b"0," * 5_000 + b"0]}"
SHORT_PATHS = {
    "b": "batch", "t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias"
}  # fmt: skip


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with the same sources and limits; its writer rests, so that the journal can be seen."""
    settings = {
        "workers": 1,
        "publish_seconds": 3_600,
        "roll_seconds": 3_600,
        "max_body_bytes": MAX_BODY_BYTES,
        "spool_bytes": SPOOL_BYTES,
        "public_body_bytes": PUBLIC_BODY_BYTES,
    }
    sources, environment = as_configured(SOURCES)
    folder = tmp_path_factory.mktemp("served")
    with running(folder, settings=settings, sources=sources, environment=environment) as started:
        wait_until("the writer has made its first round", (started.data / ".lock").exists)
        yield started


RECEIVERS: Mapping[str, Callable[[pytest.FixtureRequest], Receiver]] = {
    "flask": lambda _: InProcess(),
    "lambda": lambda request: Invoked(
        request.getfixturevalue("account"),
        request.getfixturevalue("hasty_clients"),
        request.getfixturevalue("monkeypatch"),
    ),
    "served": lambda request: Served(request.getfixturevalue("service")),
}


@pytest.fixture(
    params=["flask", "lambda", pytest.param("served", marks=pytest.mark.slow)],
)
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    made = RECEIVERS[request.param](request)
    yield made
    made.close()


def signature(message: bytes, secret: bytes = b"new secret") -> dict[str, str]:
    return {"X-Signature": hmac.new(secret, message, hashlib.sha1).hexdigest()}


def basic(user: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(user + b":").decode()}


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


@pytest.mark.parametrize("key", [b"new api key", b"old api key"])
def test_a_developer_center_sender_is_proven_by_its_key(receiver: Receiver, key: bytes) -> None:
    headers = {**basic(key), "X-Segment-Settings": "e30=", "Content-Type": "application/json"}

    assert receiver.send("POST", "/webhook/center", ORDER, headers).status == 200
    assert [Kept("center", ORDER, "all", None)] == receiver.kept()


def test_a_server_sdk_sends_a_batch_with_its_key_in_the_header(receiver: Receiver) -> None:
    answer = receiver.send("POST", "/v1/batch", SDK_BATCH, basic(b"shop-write-key"))

    assert (answer.status, answer.json) == (200, {"success": True})
    assert [Kept("shop", SDK_BATCH, "none", None, "batch")] == receiver.kept()


def test_an_older_server_sdk_sends_to_import_with_a_slash_at_the_end(receiver: Receiver) -> None:
    assert receiver.send("POST", "/v1/import/", SDK_BATCH, basic(b"older-write-key")).status == 200
    assert [Kept("shop", SDK_BATCH, "none", None, "import")] == receiver.kept()


def test_a_mobile_sdk_sends_gzip_in_chunks_as_text_with_its_key_inside(receiver: Receiver) -> None:
    packed = gzip.compress(SDK_BATCH)
    headers = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}

    assert receiver.send_chunked("/v1/b", [packed[:20], packed[20:]], headers).status == 200
    assert [Kept("app", SDK_BATCH, "none", None, "batch")] == receiver.kept()


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", SHORT_PATHS)
def test_a_browser_sends_one_call_to_a_path_of_one_letter(receiver: Receiver, path: str, slash: str) -> None:
    event = b'{"messageId":"m1","writeKey":"app-write-key","sentAt":"2026-11-21T21:19:42.294Z"}'
    headers = {**basic(b"app-write-key"), "Content-Type": "text/plain"}

    answer = receiver.send("POST", f"/v1/{path}{slash}", event, headers)

    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "*")
    assert [Kept("app", event, "none", None, SHORT_PATHS[path])] == receiver.kept()


def test_a_browser_asks_first_and_is_let_through(receiver: Receiver) -> None:
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Headers": "authorization"}

    answer = receiver.send("OPTIONS", "/v1/t", headers=headers)

    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "authorization" in answer.headers["access-control-allow-headers"]


def test_an_sdk_that_asks_for_its_settings_is_sent_here(receiver: Receiver) -> None:
    answer = receiver.send("GET", "/v1/projects/app-write-key/settings", headers={"Host": "lake.example:81"})

    segment = {"apiKey": "app-write-key", "apiHost": "lake.example:81/v1", "protocol": "http"}
    assert answer.json["integrations"] == {"Segment.io": segment}
    assert receiver.send("GET", "/v1/projects/nobody/settings").status == 404


def test_a_source_whose_keys_bring_too_much_is_asked_to_wait(receiver: Receiver) -> None:
    crowd = b'{"batch":[' + b",".join([ORDER] * 60) + b"]}"

    assert receiver.send("POST", "/v1/batch", crowd, basic(b"calm-write-key")).status == 200
    answer = receiver.send("POST", "/v1/batch", crowd, basic(b"calm-write-key"))

    assert (answer.status, answer.json["code"]) == (429, "rate_limited")
    assert 1 <= int(answer.headers["retry-after"]) <= 59
    assert receiver.send("POST", "/v1/batch", SDK_BATCH).status == 200


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
        pytest.param("/webhook/center", ORDER, basic(b"x"), 401, "signature_mismatch", id="wrong API key"),
        pytest.param(
            "/webhook/app", ORDER, basic(b"x"), 503, "webhook_not_configured", id="webhook of an SDK's source"
        ),
        pytest.param("/v1/t", ORDER, {}, 401, "unknown_write_key", id="no write key"),
        pytest.param("/v1/t", ORDER, basic(b"x"), 401, "unknown_write_key", id="unknown write key"),
        pytest.param("/v1/b", SDK_BATCH[:-1], {}, 400, "body_not_json", id="a batch cut short"),
        pytest.param(
            "/v1/b",
            b"x" * (PUBLIC_BODY_BYTES + 1),
            basic(b"app-write-key"),
            413,
            "body_too_large",
            id="too large for a write key",
        ),
        pytest.param(
            "/v1/b", TOO_MANY, basic(b"app-write-key"), 413, "too_many_events", id="too many events at once"
        ),
        pytest.param("/v1/unknown", ORDER, {}, 404, "not_found", id="another path of the API"),
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


def test_so_is_one_with_a_right_write_key_in_its_header(receiver: Receiver) -> None:
    answer = receiver.send("POST", "/v1/track", b"not json", basic(b"app-write-key"))

    assert (answer.status, answer.json["code"]) == (400, "body_not_json")
    assert ([], [Kept("app", b"not json", "none", None, "track")]) == (receiver.kept(), receiver.refused())


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
