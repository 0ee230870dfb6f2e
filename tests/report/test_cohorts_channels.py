"""What channels put on the wire and into files, and how they read what comes back."""

from __future__ import annotations

import csv
import gzip
import hashlib
import hmac
import json
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from object_stores import MemoryStore

from connector.cohorts.channels import Outcome, Page, Person
from connector.cohorts.channels.csv_files import CsvFiles
from connector.cohorts.channels.files import harmless
from connector.cohorts.channels.post import Poster
from connector.cohorts.channels.segment import Segment
from connector.cohorts.channels.twilio import Twilio, e164
from connector.cohorts.channels.webhook import Webhook, read_answer
from connector.cohorts.contacts import Contact
from connector.cohorts.send import Wish, run
from tests.report.cohort_receivers import NOW, Answering, Waits, answering, line_of

ANN = Person("ann", "2026-03-01T12:00:00.000Z", {"email": "ann@example.com", "first_name": "Ann"})
DEVICE = Person("$device:phone-1", "2026-03-01T12:00:00.000Z", {"phone": "+493090182012"})


def page(*people: Person, action: Any = "members", number: int = 1, total: int = 1) -> Page:
    return Page(
        "droppers",
        "Droppers",
        "Who did not buy.",
        "000001-abc",
        NOW,
        action,
        number,
        total,
        people or (ANN,),
        "key-1",
    )


@contextmanager
def webhook(server: Answering, *, timeout_seconds: float = 5, **more: Any) -> Iterator[Webhook]:
    given_ = {"headers": {}, "secret": None, "project_id": "", "requires": "any", "columns": (), **more}
    with closing(Webhook(Poster(server.url, timeout_seconds), **given_)) as channel:
        yield channel


def deliver(*answers: Any, of: Page | None = None, **more: Any) -> tuple[Outcome, Answering]:
    """What one delivery to a server comes to."""
    with answering(*answers) as server, webhook(server, **more) as channel:
        return channel.deliver(of or page()), server


class TestWebhook:
    def test_a_page_has_the_envelope_of_mixpanel(self):
        outcome, server = deliver(of=page(ANN, DEVICE, number=2, total=3), project_id="p-1")

        assert outcome.status == "ok"
        (request,) = server.requests
        assert (request.path, request.headers["content-type"]) == ("/cohorts", "application/json")
        assert request.json == {
            "action": "members",
            "parameters": {
                "mixpanel_project_id": "p-1",
                "mixpanel_cohort_id": "droppers",
                "mixpanel_cohort_name": "Droppers",
                "mixpanel_cohort_description": "Who did not buy.",
                "mixpanel_session_id": "000001-abc",
                "page_info": {"total_pages": 3, "page_count": 2},
                "members": [
                    {
                        "mixpanel_distinct_id": "ann", "entered_at": "2026-03-01T12:00:00.000Z",
                        "email": "ann@example.com", "first_name": "Ann",
                    },
                    {
                        "mixpanel_distinct_id": "$device:phone-1", "entered_at": "2026-03-01T12:00:00.000Z",
                        "phone": "+493090182012",
                    },
                ],
            },
        }  # fmt: skip

    def test_headers_key_and_signature_prove_who_sends(self):
        _, server = deliver(headers={"Authorization": "Bearer t"}, secret=b"shared")

        (request,) = server.requests
        assert request.headers["authorization"] == "Bearer t"
        assert request.headers["idempotency-key"] == "key-1"
        assert request.headers["x-signature"] == hmac.new(b"shared", request.body, hashlib.sha256).hexdigest()

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422, 301, 302, 308])
    def test_what_no_retry_helps_against_is_refused(self, status: int):
        outcome, _ = deliver((status, b""))

        assert (outcome.status, outcome.code) == ("refused", status)

    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 599])
    def test_what_may_pass_is_tried_again(self, status: int):
        outcome, _ = deliver((status, b"", {"Retry-After": "7"}))

        assert (outcome.status, outcome.code, outcome.retry_after_seconds) == ("again", status, 7)

    def test_a_redirect_is_not_followed(self):
        with answering() as other:
            outcome, server = deliver((307, b"", {"Location": other.url}))

            assert (outcome.status, len(server.requests), other.requests) == ("refused", 1, [])

    def test_a_connection_that_breaks_is_tried_again(self):
        outcome, server = deliver("reset")

        assert (outcome.status, outcome.code, len(server.requests)) == ("again", None, 1)

    def test_where_nobody_listens_it_is_tried_again(self):
        with answering() as server:
            pass
        with webhook(server) as channel:
            assert channel.deliver(page()).status == "again"

    def test_an_answer_that_never_comes_is_not_waited_for(self):
        import socket

        with socket.create_server(("127.0.0.1", 0)) as silent:
            server = Answering([], silent.getsockname()[1])
            with webhook(server, timeout_seconds=0.2) as channel:
                assert channel.deliver(page()) == Outcome("again", None, "no answer: ReadTimeoutError")

    def test_an_answer_without_end_is_read_up_to_its_limit(self):
        outcome, _ = deliver((200, b'{"status": "success"}' + b" " * 10_000_000))

        assert outcome.status == "ok"

    @pytest.mark.parametrize(
        ("said", "status", "code"),
        [
            ({"action": "members", "status": "success"}, "ok", 200),
            ({"status": "success"}, "ok", 200),
            (
                {"action": "members", "status": "failure", "error": {"message": "m", "code": 403}},
                "refused",
                403,
            ),
            ({"status": "failure", "error": {"code": "429"}}, "again", 429),
            ({"status": "failure", "error": {"code": 200}}, "again", 200),
            ({"status": "failure"}, "again", 200),
            ({"status": "failure", "error": "sorry"}, "again", 200),
            ({"action": "remove_members", "status": "success"}, "again", 200),
            ({"ok": True}, "again", 200),
            (["success"], "again", 200),
        ],
    )
    def test_the_body_says_whether_it_worked(self, said: Any, status: str, code: int):
        outcome = read_answer(json.dumps(said).encode(), "members", 200)

        assert (outcome.status, outcome.code) == (status, code)

    def test_a_page_of_a_login_is_no_success(self):
        outcome, _ = deliver((200, b"<html>Please log in</html>"))

        assert (outcome.status, outcome.reason) == ("again", "the answer says neither success nor failure")

    @given(st.binary(max_size=60))
    def test_no_answer_breaks_the_reading_of_it(self, body: bytes):
        assert read_answer(body, "members", 200).status in ("ok", "again", "refused")

    def test_no_reason_repeats_what_a_receiver_says(self):
        body = json.dumps(
            {"status": "failure", "error": {"message": "ann@example.com", "code": 400}}
        ).encode()
        outcome, _ = deliver((200, body))

        assert "ann" not in outcome.reason

    def test_a_whole_delivery_survives_faults_on_the_wire(self):
        people = [f"person-{number:04}" for number in range(2_500)]
        waits = Waits()
        with answering(429, 200, "reset", 500, 200) as server, webhook(server) as channel:
            line = line_of(MemoryStore(), channel, waits=waits)
            (sent,) = run(line, Wish(lambda: people, NOW, True), lambda _: None)

        assert (sent.stopped, sent.pages, sent.people, list(waits)) == (None, 3, 2_500, [1, 1, 2])
        arrived = {
            each["mixpanel_distinct_id"]: request.headers["idempotency-key"]
            for request in server.requests
            for each in request.json["parameters"]["members"]
        }
        assert sorted(arrived) == people
        assert len(set(arrived.values())) == 3, "a page has one key, however often it comes"
        infos = {tuple(request.json["parameters"]["page_info"].values()) for request in server.requests}
        assert infos == {(3, 1), (3, 2), (3, 3)}


class TestSegment:
    def sent(self, server: Answering, of: Page, **more: Any) -> Outcome:
        host = server.url.removesuffix("/cohorts")
        given_ = {
            "trait": "Mixpanel - {name}",
            "requires": "none",
            "columns": (),
            "timeout_seconds": 5,
            **more,
        }
        with closing(Segment("write-key", host, **given_)) as channel:
            return channel.deliver(of)

    def calls(self, server: Answering) -> list[dict[str, Any]]:
        return [call for each in server.requests for call in json.loads(gzip.decompress(each.body))["batch"]]

    def test_who_enters_is_identified_with_the_trait_of_the_cohort(self):
        with answering() as server:
            outcome = self.sent(server, page(ANN, DEVICE, action="add_members"))

        assert outcome.status == "ok"
        calls = self.calls(server)
        assert [(each["type"], each.get("userId"), each.get("anonymousId")) for each in calls] == [
            ("identify", "ann", None), ("identify", None, "phone-1")
        ]  # fmt: skip
        assert [each["traits"] for each in calls] == [{"Mixpanel - Droppers": True}] * 2
        assert server.requests[0].path == "/v1/batch"

    def test_who_leaves_has_the_trait_taken_away(self):
        with answering() as server:
            self.sent(server, page(ANN, action="remove_members"), trait="In {name}", columns=("first_name",))

        (call,) = self.calls(server)
        assert call["traits"] == {"In Droppers": False, "first_name": "Ann"}

    def test_a_page_sent_again_has_the_same_messages(self):
        with answering() as server:
            for _ in range(2):
                self.sent(server, page(ANN, action="add_members"))

        first, second = self.calls(server)
        assert (first["messageId"], first["timestamp"]) == (second["messageId"], second["timestamp"])
        assert first["timestamp"] == "2026-03-01T12:00:00.000+00:00"

    def test_a_page_of_a_thousand_leaves_in_batches(self):
        people = [Person(f"p{number}", "2026-03-01T12:00:00.000Z", {}) for number in range(1_000)]
        with answering() as server:
            outcome = self.sent(server, page(*people, action="add_members"))

        assert (outcome.status, len(self.calls(server))) == ("ok", 1_000)

    @pytest.mark.parametrize(
        ("answer", "status"),
        [(401, "refused"), (400, "refused"), (500, "again"), (429, "again"), ("reset", "again"),
         ((429, b"", {"Retry-After": "30"}), "again")],
    )  # fmt: skip
    def test_what_segment_answers_decides(self, answer: Any, status: str):
        with answering(answer) as server:
            outcome = self.sent(server, page(ANN, action="add_members"))

        assert (outcome.status, len(server.requests)) == (status, 1), "the library tries nothing again"

    def test_a_redirect_is_not_followed(self):
        with answering() as other, answering((307, b"", {"Location": other.url})) as server:
            outcome = self.sent(server, page(ANN, action="add_members"))

            assert (outcome.status, other.requests) == ("refused", [])

    def test_a_message_that_is_too_large_is_refused_without_being_shown(
        self, caplog: pytest.LogCaptureFixture
    ):
        huge = ANN._replace(contact={"note": "secret " * 10_000})
        with answering() as server:
            outcome = self.sent(server, page(huge, action="add_members"), columns=("traits.note",))

        assert outcome.status == "refused"
        assert "secret" not in outcome.reason + caplog.text


class TestCsv:
    def rows(self, folder: Path, of: Page, **more: Any) -> list[list[str]]:
        channel = CsvFiles(folder, requires="any", columns=("traits.plan",), **more)
        assert channel.deliver(of).status == "ok"
        (path,) = channel.written
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, "its owner alone reads it"
        with path.open(newline="") as file:
            return list(csv.reader(file))

    def test_contacts_are_there_when_they_are_asked_for(self, tmp_path: Path):
        gold = ANN._replace(contact={**ANN.contact, "plan": "gold"})

        assert self.rows(tmp_path, page(gold), with_contacts=True) == [
            ["cohort_id", "uid", "entered_at", "email", "phone", "first_name", "last_name", "plan"],
            ["droppers", "ann", "2026-03-01T12:00:00.000Z", "ann@example.com", "", "Ann", "", "gold"],
        ]

    def test_else_they_are_left_out(self, tmp_path: Path):
        assert self.rows(tmp_path, page(), with_contacts=False)[1:] == [
            ["droppers", "ann", "2026-03-01T12:00:00.000Z", "", "", "", "", ""]
        ]

    def test_a_file_that_is_written_again_is_one_file(self, tmp_path: Path):
        for _ in range(2):
            self.rows(tmp_path, page(), with_contacts=True)

        assert [path.name for path in tmp_path.iterdir()] == ["droppers-000001-abc-members.csv"]

    @pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd", "@SUM(A1)", "\t=1", "\r=1"])
    def test_a_text_that_a_spreadsheet_would_compute_is_marked(self, cell: str):
        assert harmless(cell) == f"'{cell}"

    @pytest.mark.parametrize("cell", ["+49 (30) 901-820", "-5", "+1.5", "ann", "", 3, None, "a=b"])
    def test_other_cells_stay(self, cell: Any):
        assert harmless(cell) == ("" if cell is None else cell)

    @given(st.text(max_size=20))
    def test_no_cell_begins_as_a_formula_with_letters_does(self, cell: str):
        shown = harmless(cell)

        assert not shown.startswith(("=", "@", "\t", "\r"))
        assert not (
            shown.startswith(("+", "-")) and any(letter.isalpha() or letter == "|" for letter in shown)
        )


class TestTwilio:
    def channel(self, folder: Path, **more: Any) -> Twilio:
        return Twilio(
            folder, **{"form": "ndjson", "consent": "smsConsent", "region": None, "columns": (), **more}
        )

    @pytest.mark.parametrize(
        ("contact", "reason"),
        [
            ({"phone": "+49 30 901820", "smsConsent": "true"}, None),
            ({"phone": "+49 30 901820", "smsConsent": True}, None),
            ({"phone": "+49 30 901820", "smsConsent": "false"}, "no_consent"),
            ({"phone": "+49 30 901820", "smsConsent": "1"}, "no_consent"),
            ({"phone": "+49 30 901820"}, "no_consent"),
            ({"smsConsent": "true"}, "no_phone"),
            ({"phone": "030 901820", "smsConsent": "true"}, "phone_invalid"),
            ({"phone": "+49 30", "smsConsent": "true"}, "phone_invalid"),
            ({"phone": "call me", "smsConsent": "true"}, "phone_invalid"),
        ],
    )
    def test_no_consent_or_no_number_no_row(self, tmp_path: Path, contact: Contact, reason: str | None):
        assert self.channel(tmp_path).unreachable(contact) == reason

    def test_a_row_has_the_number_the_cohort_and_a_key(self, tmp_path: Path):
        channel = self.channel(tmp_path, region="DE", columns=("first_name",))
        ann = ANN._replace(contact={"phone": "030 901820", "smsConsent": "true", "first_name": "Ann"})

        channel.deliver(page(ann))
        channel.deliver(page(ann)._replace(session="000002-def", key="key-2"))

        first, again = (json.loads(path.read_text()) for path in channel.written)
        assert (first["to"], first["cohort_id"], first["first_name"]) == ("+4930901820", "droppers", "Ann")
        assert first == again, "one stay in the cohort, one key, whichever delivery it is"
        returned = page(ann._replace(entered_at="2026-06-01T00:00:00.000Z"))
        channel.deliver(returned._replace(session="000003-ghi"))
        assert json.loads(channel.written[-1].read_text())["idempotency_key"] != first["idempotency_key"]

    def test_who_leaves_gets_no_row(self, tmp_path: Path):
        assert self.channel(tmp_path).deliver(page(action="remove_members")).status == "ok"
        assert list(tmp_path.iterdir()) == []

    def test_rows_as_csv(self, tmp_path: Path):
        channel = self.channel(tmp_path, form="csv")
        channel.deliver(page(ANN._replace(contact={"phone": "+4930901820", "smsConsent": "true"})))

        (path,) = channel.written
        with path.open(newline="") as file:
            header, row = csv.reader(file)
        assert (header, row[:2]) == (["to", "cohort_id", "idempotency_key"], ["+4930901820", "droppers"])

    @pytest.mark.parametrize(
        ("phone", "region", "found"),
        [
            ("+1 202-456-1111", None, "+12024561111"),
            ("(202) 456-1111", "US", "+12024561111"),
            ("202 456 1111", None, None),
            ("+999 123", None, None),
        ],
    )
    def test_numbers_as_e164_has_them(self, phone: str, region: str | None, found: str | None):
        assert e164(phone, region) == found
