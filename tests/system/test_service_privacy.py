"""Nothing of a customer and no secret is ever in what the service says about itself."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from system.processes import wait_until
from system.service import SECRETS, batch_of, running, signature

pytestmark = pytest.mark.slow

CUSTOMER = {
    "userId": "usr_zephyrine_4711",
    "anonymousId": "anon-quillfeather-0815",
    "messageId": "msg-marmalade-2026",
    "email": "zephyrine.quillfeather@marmalade.example",
    "ip": "198.51.100.77",
    "note": "deliver-to-the-lighthouse",
}
ORDER = {
    "type": "track",
    "event": "Order Completed",
    **{key: CUSTOMER[key] for key in ("userId", "anonymousId", "messageId")},
    "context": {"ip": CUSTOMER["ip"], "traits": {"email": CUSTOMER["email"]}},
    "properties": {"order_id": "ord-gooseberry-9", "note": CUSTOMER["note"], "total": CUSTOMER["email"]},
    "timestamp": CUSTOMER["note"],
}
VALUES = [*CUSTOMER.values(), "ord-gooseberry-9", *SECRETS.values()]


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def test_no_customer_value_and_no_secret_is_in_the_log_or_an_answer_or_a_figure(tmp_path: Path) -> None:
    order = compact(ORDER)
    fragment = compact(ORDER["properties"])
    identify = compact({"type": "identify", "traits": CUSTOMER, "messageId": CUSTOMER["messageId"]})
    nameless = compact({"type": "track", **CUSTOMER})
    broken = order[:-7]
    with running(tmp_path) as service:
        answers = [
            service.post(order),
            service.post(batch_of([identify, fragment, nameless, b"17", order])),
            service.post(broken),
            service.send(order),
            service.send(order, signature(order, "another secret")),
            service.send(order, {"X-Lake-Key": CUSTOMER["note"]}, path="/webhook/till"),
            service.post(order, "unset"),
            service.post(order, CUSTOMER["anonymousId"]),
            service.send(order, path=f"/{CUSTOMER['userId']}?email={CUSTOMER['email']}"),
            service.send(order, {"Content-Encoding": "gzip", **signature(order)}),
            service.get("/metrics"),
        ]
        service.receivers()[0].send(signal.SIGKILL)
        wait_until("another receiver listens", service.all_listen)
        service.drain()
        said = {"status": service.ok("status", "--json"), "audit": service.ok("audit")}
        fates = service.fates()
        assert service.stop() == 0

    assert [answer.status for answer in answers] == [200, 200, 400, 401, 401, 401, 503, 503, 404, 200, 200]
    assert {"stored", "rejected"} <= set(fates)
    said |= {"log": service.log} | {
        f"answer {number}": answer.body.decode() + str(answer.headers)
        for number, answer in enumerate(answers)
    }
    assert "receiving on" in said["log"]
    assert [(where, value) for where, text in said.items() for value in VALUES if value in text] == []


def test_what_a_replay_and_a_rejected_record_say_names_no_value(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        path = tmp_path / "archive.ndjson"
        path.write_bytes(b"\n".join([compact(ORDER), compact(ORDER)[:-7], compact(ORDER["properties"])]))

        replay = service.run("replay", str(path))
        messages = [each["message"] for each in service.rejected()]

    assert replay.returncode == 0
    assert len(messages) == 2
    told = replay.stdout.decode() + replay.stderr.decode() + "".join(messages)
    assert [value for value in VALUES if value in told] == []
