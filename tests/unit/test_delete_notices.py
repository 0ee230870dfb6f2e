"""Delete notices from the request to their row: all published shapes, and only those that a proof covers.

Segment sends three shapes (segment-delivery 1.10); a notice counts when the proof covers that very element
(decision 0009).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from connector.actions.call import LakeSettings
from connector.actions.destination import Destinations
from connector.events import Capture, Outcome, RawRequest, SourceKeys
from connector.journal.frames import frame_header
from connector.journal.reader import open_captured
from connector.pipeline import Pipeline
from connector.receive.admit import admit
from connector.schemas import read_schemas
from connector.validate import compile_schemas
from connector.wiring import read_document, shipped_mapping

NOON_MS = 1_773_489_600_000
JOURNAL_FILE = "20260314T120000000Z-shop.example-1-0f3a5c77"
SECRET, HEADER, API_KEY = b"s3cret", b"lake-header", b"dev-center-key"
KEYS = SourceKeys(
    "web", secrets=(SECRET,), second_header="x-lake-key", second_values=(HEADER,), api_keys=(API_KEY,)
)
PIPELINE = Pipeline(
    Destinations(read_document(shipped_mapping()), LakeSettings(privacy_key=b"key")),
    compile_schemas(read_schemas()),
    "ecommerce@00000000",
)
USER = "usr_48213"
SUBJECT = hmac.new(b"key", f"user_id:{USER}".encode(), hashlib.sha256).hexdigest()

CLASSIC = {"type": "delete", "userId": USER, "timestamp": "2026-03-14T11:59:00.000Z"}
PARTNER = {
    **CLASSIC,
    "messageId": "delete-reg-1::job-1-p81kQ",
    "channel": "server",
    "projectId": "p81kQ",
    "context": None,
    "integrations": None,
    "originalTimestamp": "2026-03-14T11:59:00.000Z",
    "receivedAt": "2026-03-14T11:59:00.000Z",
    "sentAt": "2026-03-14T03:00:00.000Z",
    "version": "2",
}
FUNCTIONS = {**PARTNER, "context": [], "integrations": [], "anonymousId": None}
SHAPES = pytest.mark.parametrize(
    "notice", [CLASSIC, PARTNER, FUNCTIONS], ids=["classic", "partner", "functions"]
)
VIEW = {"type": "track", "event": "Product Viewed", "messageId": "m", "userId": "usr_2"}


def as_body(*events: Any) -> bytes:
    """One event, or a batch of several, as compactly as Segment writes them."""
    return json.dumps(list(events) if len(events) > 1 else events[0], separators=(",", ":")).encode()


def signature(message: bytes) -> dict[str, str]:
    return {"x-signature": hmac.new(SECRET, message, hashlib.sha1).hexdigest()}


def received(body: bytes, headers: dict[str, str]) -> Capture:
    """What the receiver keeps of a webhook's request."""
    return admit(RawRequest("web", "webhook", body, headers, NOON_MS), KEYS)


def outcomes(folder: Path, *captures: Capture) -> list[Outcome]:
    """The fate of every event of these requests, read back from a journal file."""
    path = folder / JOURNAL_FILE
    framed = [
        frame_header(item, JOURNAL_FILE, seq) + item.body[:] + b"\n" for seq, item in enumerate(captures)
    ]
    path.write_bytes(b"".join(framed))
    return [PIPELINE(found) for part in open_captured(path).parts() for found in part]


def told(outcome: Outcome) -> str:
    """What became of an event: its table and proof, or why it was rejected."""
    if outcome.rejected is not None:
        return outcome.rejected.code
    return " ".join(f"{row.table} {row.columns['proven']}" for row in outcome.rows)


@SHAPES
def test_a_signed_notice_becomes_a_row_that_names_nobody(notice: dict[str, Any], tmp_path: Path) -> None:
    body = as_body(notice)

    (outcome,) = outcomes(tmp_path, received(body, signature(body)))

    (row,) = outcome.rows
    columns = row.columns
    assert (row.table, columns["proven"], columns["subject_kind"]) == ("deletions", "all", "user_id")
    assert (columns["subject_hash"], columns["timestamp"]) == (SUBJECT, NOON_MS - 60_000)
    assert (columns.get("message_id"), columns["source"]) == (notice.get("messageId"), "web")
    assert USER not in repr(columns)


@SHAPES
def test_in_a_batch_signed_by_its_first_element_only_the_first_is_proven(
    notice: dict[str, Any], tmp_path: Path
) -> None:
    first = received(as_body(notice, VIEW), signature(as_body(notice)))
    second = received(as_body(VIEW, notice), signature(as_body(VIEW)))

    assert list(map(told, outcomes(tmp_path, first, second))) == [
        "deletions first", "events none",
        "events first", "delete_unproven",
    ]  # fmt: skip


@SHAPES
def test_a_batch_signed_as_a_whole_proves_every_notice_in_it(notice: dict[str, Any], tmp_path: Path) -> None:
    body = as_body(VIEW, notice)

    assert list(map(told, outcomes(tmp_path, received(body, signature(body))))) == [
        "events all", "deletions all",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [
        {"x-lake-key": HEADER.decode()},
        {"authorization": "Basic " + base64.b64encode(API_KEY + b":").decode()},
        {"x-lake-key": HEADER.decode(), **signature(as_body(VIEW))},
    ],
    ids=["second header", "Basic API key", "second header beside a signature of the first element"],
)
@SHAPES
def test_a_second_header_or_an_api_key_proves_every_element(
    notice: dict[str, Any], headers: dict[str, str], tmp_path: Path
) -> None:
    capture = received(as_body(VIEW, notice), headers)

    assert list(map(told, outcomes(tmp_path, capture))) == ["events all", "deletions all"]


@SHAPES
def test_a_write_key_proves_nothing(notice: dict[str, Any], tmp_path: Path) -> None:
    body = as_body({"batch": [VIEW, notice], "writeKey": "wk_public", "sentAt": "2026-03-14T12:00:00.000Z"})
    capture = Capture("web", "batch", NOON_MS, body, "none", public=True)

    assert list(map(told, outcomes(tmp_path, capture))) == ["events none", "delete_unproven"]


@SHAPES
@pytest.mark.parametrize("form", ["lines", "array"])
def test_a_plain_file_proves_nothing(notice: dict[str, Any], form: str, tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(as_body(VIEW) + b"\n" + as_body(notice) if form == "lines" else as_body(VIEW, notice))

    found = [PIPELINE(captured) for part in open_captured(path, source="web").parts() for captured in part]

    assert list(map(told, found)) == ["events none", "delete_unproven"]


def test_a_notice_that_came_twice_is_one_row(tmp_path: Path) -> None:
    body = as_body(CLASSIC)

    found = outcomes(tmp_path, *(received(body, signature(body)) for _ in range(2)))

    assert len({row.columns["row_id"] for outcome in found for row in outcome.rows}) == 1


def test_a_proven_notice_about_nobody_is_rejected(tmp_path: Path) -> None:
    body = as_body({**CLASSIC, "userId": None})

    assert list(map(told, outcomes(tmp_path, received(body, signature(body))))) == ["identity_missing"]
