"""Source, proof, shape, in this order; and whose fault it is."""

from __future__ import annotations

import gzip

import pytest
from receive_fakes import EVENT, SECOND, SECRET, raw_request, sign, signed

from connector.errors import CannotKeep, SignatureMismatch, SignatureMissing
from connector.events import Capture, SourceKeys
from connector.receive.admit import Unreadable, admit, judging_keys

ONE_SECRET = SourceKeys("web", secrets=(SECRET,))
UNSIGNED = SourceKeys("web", unsigned=True)


def test_a_capture_holds_the_body_as_it_came_and_what_was_sent_with_it() -> None:
    request = raw_request(EVENT, {**signed(EVENT), "content-type": "application/json"})

    assert admit(request, ONE_SECRET) == Capture(
        source="web",
        route="webhook",
        received_at_ms=request.received_at_ms,
        body=EVENT,
        proven="all",
        key=0,
        content_type="application/json",
    )


def test_an_endless_content_type_is_cut() -> None:
    request = raw_request(EVENT, {"content-type": "text/plain; " + "x" * 100_000})

    assert len(admit(request, UNSIGNED).content_type or "") == 256


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[]", id="an empty batch"),
        pytest.param(b"[1,null,[]]", id="elements that are no objects"),
        pytest.param(b'{"anything":true}', id="a fragment of an event"),
        pytest.param(b' \r\n{"a":1}\n', id="blanks around it"),
        pytest.param(
            b'{"price":NaN}', id="a number JSON does not have: one event's fault, not the request's"
        ),
    ],
)
def test_meaning_is_not_judged(body: bytes) -> None:
    assert body == admit(raw_request(body), UNSIGNED).body


NOT_JSON = [
    pytest.param(b"", id="empty"),
    pytest.param(b" \n", id="blank"),
    pytest.param(b"hello", id="a word"),
    pytest.param(b"12", id="a bare number: its beginning would look whole"),
    pytest.param(b'{"a":1', id="cut short"),
    pytest.param(b'[{"a":1},', id="a batch cut short"),
    pytest.param(b"a=1&b=2", id="a form"),
]


@pytest.mark.parametrize("body", NOT_JSON)
def test_a_proven_body_that_is_not_json_is_refused_and_owed_a_place(body: bytes) -> None:
    with pytest.raises(Unreadable) as refused:
        admit(raw_request(body, signed(body)), ONE_SECRET)

    assert refused.value.keep
    assert (body, "all", "body_not_json") == (
        refused.value.capture.body,
        refused.value.capture.proven,
        refused.value.capture.refused,
    )


@pytest.mark.parametrize("body", NOT_JSON)
def test_an_unsigned_body_that_is_not_json_is_refused_and_not_kept(body: bytes) -> None:
    with pytest.raises(Unreadable) as refused:
        admit(raw_request(body), UNSIGNED)

    assert not refused.value.keep


def test_a_batch_cut_behind_its_signed_element_is_owed_a_place() -> None:
    with pytest.raises(Unreadable) as refused:
        admit(raw_request(b"[" + EVENT + b",{", signed(EVENT)), ONE_SECRET)

    assert (refused.value.keep, refused.value.capture.proven) == (True, "first")


def test_proof_is_asked_before_shape() -> None:
    with pytest.raises(SignatureMismatch):
        admit(raw_request(b"not json", signed(EVENT)), ONE_SECRET)
    with pytest.raises(SignatureMissing):
        admit(raw_request(b"not json"), ONE_SECRET)


class TestBeforeTheBody:
    """What no body could be admitted by is said before one is read."""

    @pytest.mark.parametrize(
        ("keys", "code"),
        [
            pytest.param(None, "unknown_source", id="no such source"),
            pytest.param(SourceKeys("web"), "webhook_not_configured", id="a source without any key"),
            pytest.param(SourceKeys("web", write_keys=(b"k",)), "webhook_not_configured", id="an SDK's"),
            pytest.param(
                SourceKeys("web", missing_write_keys=("A",)),
                "webhook_not_configured",
                id="an unset write key",
            ),
            pytest.param(SourceKeys("web", missing=("A",)), "secret_missing", id="the only secret is unset"),
            pytest.param(
                SourceKeys("web", second_header="x-lake-key", missing=("A",)),
                "secret_missing",
                id="the only header is unset",
            ),
        ],
    )
    def test_it_is_our_fault(self, keys: SourceKeys | None, code: str) -> None:
        with pytest.raises(CannotKeep) as trouble:
            judging_keys(keys)

        assert (trouble.value.code, trouble.value.status) == (code, 503)

    @pytest.mark.parametrize(
        "keys",
        [
            ONE_SECRET,
            UNSIGNED,
            SourceKeys("web", second_header="x-lake-key", second_values=(b"k",)),
            SourceKeys("web", api_keys=(b"k",)),
            SourceKeys("web", secrets=(SECRET,), missing=("A",)),
        ],
    )
    def test_whatever_can_judge_some_request_is_asked(self, keys: SourceKeys) -> None:
        assert judging_keys(keys) is keys


class TestUnsetSecrets:
    """A secret that is configured but not set might be the one that was used."""

    @pytest.mark.parametrize(
        ("keys", "headers"),
        [
            pytest.param(
                SourceKeys("web", secrets=(b"old",), missing=("A",)),
                signed(EVENT),
                id="signed with the unset one",
            ),
            pytest.param(
                SourceKeys("web", secrets=(b"old",), missing=("A",)),
                {},
                id="perhaps proven by an unset header",
            ),
            pytest.param(
                SourceKeys("web", secrets=(b"old",), second_header="x-lake-key", missing=("A",)),
                {"x-lake-key": "k"},
                id="unset header",
            ),
            pytest.param(
                SourceKeys("web", unsigned=True, missing=("A",)),
                signed(EVENT),
                id="signed, though it need not be",
            ),
        ],
    )
    def test_the_sender_is_asked_to_come_again(self, keys: SourceKeys, headers: dict[str, str]) -> None:
        with pytest.raises(CannotKeep) as trouble:
            admit(raw_request(EVENT, headers), keys)

        assert trouble.value.code == "secret_missing"

    def test_what_the_set_secrets_prove_is_accepted(self) -> None:
        keys = SourceKeys("web", secrets=(SECRET,), missing=("OTHER",))

        assert admit(raw_request(EVENT, signed(EVENT)), keys).proven == "all"

    def test_an_unsigned_source_still_takes_requests_without_any_proof(self) -> None:
        keys = SourceKeys("web", unsigned=True, missing=("A",))

        assert admit(raw_request(EVENT), keys).proven == "none"


class TestCompressed:
    BATCH = b"[" + EVENT + b"," + SECOND + b"]"
    ZIPPED = gzip.compress(BATCH, mtime=0)

    @pytest.mark.parametrize(
        ("message", "proven"),
        [
            pytest.param(ZIPPED, "all", id="over the bytes as they travelled"),
            pytest.param(BATCH, "all", id="over the decoded bytes"),
            pytest.param(EVENT, "first", id="over the first decoded element"),
        ],
    )
    def test_the_signature_may_cover_either_form_and_the_decoded_one_is_kept(
        self, message: bytes, proven: str
    ) -> None:
        request = raw_request(
            self.BATCH, {"x-signature": sign(message), "content-encoding": "gzip"}, encoded=self.ZIPPED
        )

        capture = admit(request, ONE_SECRET)

        assert (self.BATCH, proven, "gzip") == (capture.body, capture.proven, capture.content_encoding)

    def test_an_element_of_the_bytes_as_they_travelled_proves_nothing_of_what_they_decode_to(self) -> None:
        request = raw_request(self.BATCH, signed(EVENT), encoded=b"[" + EVENT + b",\x00\x00]")

        assert admit(request, ONE_SECRET).proven == "first"
        with pytest.raises(SignatureMismatch):
            admit(raw_request(b"[" + SECOND + b"]", signed(EVENT), encoded=b"[" + EVENT + b"]"), ONE_SECRET)

    def test_a_signature_of_neither_form_is_refused(self) -> None:
        with pytest.raises(SignatureMismatch):
            admit(raw_request(self.BATCH, signed(SECOND), encoded=self.ZIPPED), ONE_SECRET)
