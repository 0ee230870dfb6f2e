"""Requests recorded from Segment's SDKs, sent again byte for byte: each call has a fate, none is in twice."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import require
from system.service import Answer, Service, running

pytestmark = pytest.mark.slow

CAPTURES = Path(__file__).resolve().parents[3] / "shared/reference/sdk-captures.ndjson"
SETTINGS = {"workers": 1, "roll_seconds": 600.0}
"""One journal file per drain: what an SDK sent twice lies beside its first copy."""
TABLES = {"identify": "profiles", "group": "groups", "alias": "aliases"}
"""Call type -> table, where it is not ``events``."""


class Recorded(NamedTuple):
    """One request as it was recorded."""

    client: str
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls of a POST, whether they came alone or in a batch."""
        if self.method != "POST":
            return []
        zipped = ("Content-Encoding", "gzip") in self.headers
        payload = json.loads(gzip.decompress(self.body) if zipped else self.body)
        return list(payload.get("batch", [payload]))

    @property
    def write_key(self) -> str | None:
        """The user of the Basic header: all that was recorded is from one source."""
        basic = dict(self.headers).get("Authorization", "").removeprefix("Basic ")
        return base64.b64decode(basic).decode().rstrip(":") or None


@pytest.fixture(scope="module")
def recorded() -> list[Recorded]:
    require(CAPTURES.is_file(), "the recorded requests beside the checkout")
    lines = [json.loads(line) for line in CAPTURES.read_text(encoding="utf-8").splitlines()]
    return [
        Recorded(
            each["client"],
            each["method"],
            each["path"],
            [(name, value) for name, value in each["headers"]],
            base64.b64decode(each["body_base64"]),
        )
        for each in lines
    ]


@pytest.fixture(scope="module")
def calls(recorded: list[Recorded]) -> dict[str, dict[str, Any]]:
    """Every call by its id, however often it was sent."""
    return {call["messageId"]: call for request in recorded for call in request.calls}


def send(service: Service, request: Recorded) -> Answer:
    """Send what was recorded: its own headers in their order and none besides."""
    with service.connection() as connection:
        connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            connection.putheader(name, value)
        connection.endheaders(request.body or None)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())


class Replayed(NamedTuple):
    service: Service
    answers: list[Answer]


@pytest.fixture(scope="module")
def replayed(recorded: list[Recorded], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayed]:
    """A service that was sent all of it once, and has written it."""
    (write_key,) = {request.write_key for request in recorded} - {None}
    with running(
        tmp_path_factory.mktemp("captures"),
        settings=SETTINGS,
        sources={"recorded": {"write_keys": ["env:RECORDED_WRITE_KEY"]}},
        environment={"RECORDED_WRITE_KEY": str(write_key)},
    ) as service:
        answers = [send(service, request) for request in recorded]
        service.drain()
        yield Replayed(service, answers)


def stored(service: Service) -> dict[str, tuple[str, str | None]]:
    """Message id -> type and user id of every row in the views but generated lines. None is there twice."""
    tables = ["SELECT message_id, type, user_id FROM events WHERE line_index IS NULL"]
    tables += [f"SELECT message_id, type, user_id FROM {table}" for table in TABLES.values()]
    rows = service.query(" UNION ALL ".join(tables))
    found = {message_id: (kind, user_id) for message_id, kind, user_id in rows}
    assert len(found) == len(rows)
    return found


def test_what_was_recorded_is_what_this_test_speaks_of(recorded: list[Recorded]) -> None:
    methods = [request.method for request in recorded]

    assert {method: methods.count(method) for method in sorted(set(methods))} == {
        "GET": 2,
        "OPTIONS": 7,
        "POST": 24,
    }
    assert {request.client for request in recorded} == {
        "segment-analytics-python", "@segment/analytics-node", "@segment/analytics-next"
    }  # fmt: skip


def test_every_request_is_answered_200_and_every_preflight_lets_the_browser_go_on(
    recorded: list[Recorded], replayed: Replayed
) -> None:
    """Python SDKs before 2.4 take 200 alone for success (segment-delivery 2.4)."""
    for request, answer in zip(recorded, replayed.answers, strict=True):
        assert (request.path, answer.status) == (
            request.path,
            200 if request.method != "OPTIONS" else answer.status,
        )
        if request.method != "OPTIONS":
            continue
        asked = dict(request.headers)
        allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
        assert answer.status in (200, 204)
        assert answer.headers["access-control-allow-origin"] in ("*", asked["Origin"])
        assert set(asked["Access-Control-Request-Headers"].split(",")) <= allowed


def test_the_browser_may_read_the_answers_and_finds_this_service_in_its_settings(
    recorded: list[Recorded], replayed: Replayed
) -> None:
    of_browser = [
        (request, answer)
        for request, answer in zip(recorded, replayed.answers, strict=True)
        if request.client == "@segment/analytics-next"
    ]
    settings = [answer.json for request, answer in of_browser if request.method == "GET"]

    assert {answer.headers.get("access-control-allow-origin") for _, answer in of_browser} - {"*"} <= {
        dict(request.headers).get("Origin") for request, _ in of_browser
    }
    for each in settings:
        host = dict(of_browser[0][0].headers)["Host"]
        assert each["integrations"]["Segment.io"]["apiHost"] == f"{host}/v1"
        assert each["integrations"]["Segment.io"]["protocol"] == "http"


def test_every_call_has_a_fate_and_only_retries_are_duplicates(
    recorded: list[Recorded], calls: dict[str, dict[str, Any]], replayed: Replayed
) -> None:
    sent = sum(len(request.calls) for request in recorded)
    report = replayed.service.audit()

    assert report["received"] == sent == sum(report["fates"].values())
    assert replayed.service.rejected() == []
    assert replayed.service.fates() == {"stored": len(calls), "duplicate": sent - len(calls)}


def test_every_call_is_one_row_of_its_type_and_person(
    calls: dict[str, dict[str, Any]], replayed: Replayed
) -> None:
    expected = {message_id: (call["type"], call.get("userId")) for message_id, call in calls.items()}

    assert stored(replayed.service) == expected


def test_a_call_s_time_is_its_own_shifted_by_what_its_clock_was_wrong(replayed: Replayed) -> None:
    off = replayed.service.query(
        "SELECT DISTINCT epoch_ms(timestamp) - epoch_ms(received_at) + epoch_ms(sent_at) "
        "- epoch_ms(original_timestamp), proven FROM events"
    )

    assert off == [(0, "none")]


def test_the_same_requests_once_more_bring_no_row(recorded: list[Recorded], replayed: Replayed) -> None:
    service = replayed.service
    received, before = service.audit()["received"], stored(service)

    answers = {send(service, request).status for request in recorded if request.method == "POST"}
    service.drain()

    assert answers == {200}
    assert service.audit()["received"] == 2 * received
    assert stored(service) == before
