"""What a signature proves, over the bytes as they came."""

from __future__ import annotations

import contextlib
import hmac
import json
import mmap
import re
import tempfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from receive_fakes import EVENT, SECOND, SECRET, sign

from connector.errors import SignatureMismatch, SignatureMissing
from connector.events import Proven, SourceKeys
from connector.receive.verify import FIRST_ELEMENT_BYTES, Proof, prove

EXAMPLE = (
    '{"type":"track","event":"Ünï","userId":"u1","messageId":"m1","properties":{"x":null,"y":[1,{}],"z":1}}'
).encode()
EXAMPLE_SIGNATURE = "568439a8abf7a8184e647bc85d3c02a6a39ff9bc"

ONE_SECRET = SourceKeys("web", secrets=(SECRET,))
WITH_HEADER = SourceKeys("web", secrets=(SECRET,), second_header="x-lake-key", second_values=(b"k1", b"k2"))
HEADER_ALONE = SourceKeys("web", second_header="x-lake-key", second_values=(b"k1", b"k2"))


def headers(signature: str | None = None, key: str | None = None) -> dict[str, str]:
    sent = {"x-signature": signature, "x-lake-key": key}
    return {name: value for name, value in sent.items() if value is not None}


class TestWhatSegmentSigns:
    @pytest.mark.parametrize(
        ("body", "proven"),
        [
            pytest.param(EXAMPLE, "all", id="one event: the whole body"),
            pytest.param(b"[" + EXAMPLE + b"]", "first", id="batch of one: its element"),
            pytest.param(
                b"[" + EXAMPLE + b"," + SECOND + b"]", "first", id="batch of two: the first element"
            ),
        ],
    )
    def test_the_worked_example_of_segments_own_code_verifies(self, body: bytes, proven: Proven) -> None:
        assert Proof(proven, 0) == prove(body, headers(EXAMPLE_SIGNATURE), ONE_SECRET)

    def test_a_batch_signed_as_a_whole_proves_every_element(self) -> None:
        body = b"[" + EVENT + b"," + SECOND + b"]"

        assert Proof("all", 0) == prove(body, headers(sign(body)), ONE_SECRET)

    @pytest.mark.parametrize(
        "event",
        [
            pytest.param('{"city":"Zürich","name":"山田"}'.encode(), id="non-ASCII"),
            pytest.param('{"text":"a\u2028b\u007f"}'.encode(), id="line separator"),
            pytest.param(b'{"price":1e-7,"total":25,"big":1e+21}', id="numbers as JavaScript writes them"),
            pytest.param(b'{"text":"\\ud83d"}', id="escaped lone surrogate"),
            pytest.param(b'{"a":"]},{","b":"\\"[\\\\"}', id="brackets and quotes in strings"),
            pytest.param(b'{"v":[[1,[2]],{"w":{}}]}', id="nesting"),
            pytest.param(b'{"bytes":"\xff\xfe"}', id="not even UTF-8"),
        ],
    )
    def test_the_raw_bytes_are_hashed_whatever_python_would_write_instead(self, event: bytes) -> None:
        batch = b"[" + event + b"," + SECOND + b"]"

        assert Proof("all", 0) == prove(event, headers(sign(event)), ONE_SECRET)
        assert Proof("first", 0) == prove(batch, headers(sign(event)), ONE_SECRET)

    def test_a_memory_mapped_body_is_proven_like_bytes_and_can_be_closed_afterwards(self) -> None:
        with tempfile.TemporaryFile() as file:
            file.write(b"[" + EXAMPLE + b"," + SECOND + b"]")
            file.flush()
            body = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

        assert Proof("first", 0) == prove(body, headers(EXAMPLE_SIGNATURE), ONE_SECRET)
        body.close()

    @pytest.mark.parametrize("written", [EXAMPLE_SIGNATURE.upper(), f"  {EXAMPLE_SIGNATURE} "])
    def test_upper_case_hex_and_blanks_around_it_are_accepted(self, written: str) -> None:
        assert Proof("all", 0) == prove(EXAMPLE, headers(written), ONE_SECRET)


def long_batch(bytes_before_comma: int) -> tuple[bytes, bytes]:
    """An element that ends so many bytes behind the bracket, and a batch of it and a long one."""
    element = b'{"a":"' + b"x" * (bytes_before_comma - 8) + b'"}'
    return element, b"[" + element + b"," + SECOND + b"," + b" " * 4096 + SECOND + b"]"


class TestALongFirstElement:
    def test_it_is_found_when_the_comma_behind_it_is_near(self) -> None:
        element, body = long_batch(FIRST_ELEMENT_BYTES - 2)

        assert Proof("first", 0) == prove(body, headers(sign(element)), ONE_SECRET)

    def test_beyond_that_a_signature_of_the_whole_body_alone_can_hold(self) -> None:
        element, body = long_batch(FIRST_ELEMENT_BYTES - 1)

        with pytest.raises(SignatureMismatch):
            prove(body, headers(sign(element)), ONE_SECRET)
        assert Proof("all", 0) == prove(body, headers(sign(body)), ONE_SECRET)

    def test_what_lies_behind_is_not_looked_at(self) -> None:
        body = b"[" + EVENT + b"," + b"[" * 3 * FIRST_ELEMENT_BYTES

        assert Proof("first", 0) == prove(body, headers(sign(EVENT)), ONE_SECRET)

    @pytest.mark.parametrize("filler", [b" ", b"[", b'"', b"x"])
    def test_a_part_of_it_is_never_taken_for_it(self, filler: bytes) -> None:
        body = b"[" + EVENT + filler * 2 * FIRST_ELEMENT_BYTES + b"]"

        for message in (EVENT, body[1:FIRST_ELEMENT_BYTES]):
            with pytest.raises(SignatureMismatch):
                prove(body, headers(sign(message)), ONE_SECRET)


def test_where_the_whole_body_alone_counts_its_first_element_proves_nothing() -> None:
    body = b"[" + EVENT + b"," + SECOND + b"]"

    assert Proof("all", 0) == prove(body, headers(sign(body)), ONE_SECRET, whole_body_only=True)
    with pytest.raises(SignatureMismatch):
        prove(body, headers(sign(EVENT)), ONE_SECRET, whole_body_only=True)


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(EXAMPLE.replace(b"u1", b"u2"), id="another value"),
            pytest.param(EXAMPLE + b"\n", id="a byte more"),
            pytest.param(EXAMPLE[:-1], id="a byte less"),
            pytest.param(json.dumps(json.loads(EXAMPLE)).encode(), id="the same value written by Python"),
            pytest.param(b"[" + SECOND + b"," + EXAMPLE + b"]", id="the signed event is not the first"),
            pytest.param(b'{"data":[' + EXAMPLE + b"]}", id="the signed event inside an object"),
            pytest.param(b"", id="nothing"),
            pytest.param(b"[]", id="an empty batch"),
        ],
    )
    def test_bytes_that_were_not_signed(self, body: bytes) -> None:
        with pytest.raises(SignatureMismatch):
            prove(body, headers(EXAMPLE_SIGNATURE), ONE_SECRET)

    @pytest.mark.parametrize(
        "written",
        [
            pytest.param("", id="empty is missing"),
            pytest.param("   ", id="blank is missing"),
            pytest.param(None, id="absent is missing"),
        ],
    )
    def test_a_missing_signature(self, written: str | None) -> None:
        with pytest.raises(SignatureMissing):
            prove(EXAMPLE, headers(written), ONE_SECRET)

    @pytest.mark.parametrize(
        "written",
        [
            pytest.param(EXAMPLE_SIGNATURE[:-1], id="too short"),
            pytest.param(EXAMPLE_SIGNATURE + "0", id="too long"),
            pytest.param("sha1=" + EXAMPLE_SIGNATURE, id="with a prefix"),
            pytest.param("é" * 40, id="not ASCII"),
            pytest.param("ж" * 40, id="not Latin-1"),
            pytest.param(sign(EXAMPLE, b"another"), id="another secret"),
        ],
    )
    def test_a_wrong_signature(self, written: str) -> None:
        with pytest.raises(SignatureMismatch):
            prove(EXAMPLE, headers(written), ONE_SECRET)

    def test_a_refusal_names_neither_secret_nor_value(self) -> None:
        keys = SourceKeys(
            "web", secrets=(b"hush-hush",), second_header="x-lake-key", second_values=(b"psst",)
        )

        with pytest.raises(SignatureMismatch) as refused:
            prove(b'{"email":"jo@example.com"}', headers("00" * 20, "guess"), keys)

        told = str(refused.value) + repr(refused.value) + repr(keys)
        assert not re.search("hush|psst|guess|jo@|0000", told)


class TestSeveralSecrets:
    @pytest.mark.parametrize(("secret", "key"), [(b"new", 0), (b"old", 1), (b"oldest", 2)])
    def test_each_is_accepted_and_the_proof_says_which(self, secret: bytes, key: int) -> None:
        keys = SourceKeys("web", secrets=(b"new", b"old", b"oldest"))

        assert Proof("all", key) == prove(EVENT, headers(sign(EVENT, secret)), keys)
        assert Proof("first", key) == prove(b"[" + EVENT + b"]", headers(sign(EVENT, secret)), keys)

    @pytest.mark.parametrize("body", [EVENT, b"[" + EVENT + b"]"])
    def test_the_work_is_the_same_whichever_is_right(
        self, body: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared: list[int] = []
        really_compare = hmac.compare_digest

        def compare(a: bytes, b: bytes) -> bool:
            compared.append(len(b))
            return really_compare(a, b)

        monkeypatch.setattr(hmac, "compare_digest", compare)
        keys = SourceKeys("web", secrets=(b"new", b"old", b"oldest"))
        work = []
        for secret in (b"new", b"old", b"oldest", b"none of them"):
            compared.clear()
            with contextlib.suppress(SignatureMismatch):
                prove(body, headers(sign(EVENT, secret)), keys)
            work.append(list(compared))

        assert work[0]
        assert [work[0]] * 4 == work


class TestSecondHeader:
    BATCH = b"[" + EVENT + b"," + SECOND + b"]"

    @pytest.mark.parametrize("value", ["k1", "k2"])
    def test_it_proves_every_element_beside_a_signature_of_the_first(self, value: str) -> None:
        assert Proof("all", 0) == prove(self.BATCH, headers(sign(EVENT), value), WITH_HEADER)

    @pytest.mark.parametrize("value", [None, "", "k3", "k", "k11", "ж"])
    def test_without_a_right_value_the_signature_proves_what_it_covers(self, value: str | None) -> None:
        assert Proof("first", 0) == prove(self.BATCH, headers(sign(EVENT), value), WITH_HEADER)
        assert Proof("all", 0) == prove(EVENT, headers(sign(EVENT), value), WITH_HEADER)

    def test_it_never_excuses_a_wrong_signature(self) -> None:
        with pytest.raises(SignatureMismatch):
            prove(self.BATCH, headers(sign(SECOND), "k1"), WITH_HEADER)

    def test_it_proves_a_batch_that_segment_could_not_sign(self) -> None:
        assert Proof("all", None) == prove(b"[null," + EVENT + b"]", headers(None, "k1"), WITH_HEADER)

    def test_it_decides_alone_where_there_is_no_secret(self) -> None:
        assert Proof("all", None) == prove(self.BATCH, headers(None, "k1"), HEADER_ALONE)
        assert Proof("all", None) == prove(self.BATCH, headers("00" * 20, "k1"), HEADER_ALONE)
        with pytest.raises(SignatureMismatch):
            prove(self.BATCH, headers(None, "k3"), HEADER_ALONE)
        with pytest.raises(SignatureMissing):
            prove(self.BATCH, headers(), HEADER_ALONE)

    def test_its_value_may_be_any_bytes(self) -> None:
        keys = SourceKeys("web", second_header="x-lake-key", second_values=("ключ".encode(),))
        as_wsgi_gives_it = "ключ".encode().decode("latin-1")

        assert Proof("all", None) == prove(EVENT, headers(None, as_wsgi_gives_it), keys)


class TestUnsigned:
    def test_without_keys_anything_is_accepted_and_nothing_proven(self) -> None:
        keys = SourceKeys("web", unsigned=True)

        assert Proof("none", None) == prove(EVENT, headers(), keys)
        assert Proof("none", None) == prove(EVENT, headers("00" * 20), keys)

    def test_with_a_secret_a_right_signature_proves_a_missing_one_does_not_and_a_wrong_one_is_refused(
        self,
    ) -> None:
        keys = SourceKeys("web", secrets=(SECRET,), unsigned=True)

        assert Proof("all", 0) == prove(EVENT, headers(sign(EVENT)), keys)
        assert Proof("none", None) == prove(EVENT, headers(), keys)
        with pytest.raises(SignatureMismatch):
            prove(EVENT, headers(sign(SECOND)), keys)

    def test_with_a_second_header_a_wrong_value_is_refused(self) -> None:
        keys = SourceKeys("web", second_header="x-lake-key", second_values=(b"k1",), unsigned=True)

        assert Proof("none", None) == prove(EVENT, headers(), keys)
        assert Proof("all", None) == prove(EVENT, headers(None, "k1"), keys)
        with pytest.raises(SignatureMismatch):
            prove(EVENT, headers(None, "k3"), keys)

    def test_a_source_that_accepts_nothing_accepts_nothing(self) -> None:
        with pytest.raises(SignatureMissing):
            prove(EVENT, headers(sign(EVENT, b"")), SourceKeys("web"))


# Surrogates on their own included: JavaScript strings may hold them, and JSON.stringify escapes them.
texts = st.text(st.characters(), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
events = st.dictionaries(texts, values, max_size=5)
secrets = st.binary(min_size=1, max_size=80)


def stringify(value: Any) -> bytes:
    """Compact JSON with raw non-ASCII, the way the sender writes it."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text).encode()


@settings(deadline=None, max_examples=150)
@given(event=events, secret=secrets)
def test_any_event_is_proven_by_its_signature_and_by_no_other_secret(event: Any, secret: bytes) -> None:
    body = stringify(event)
    sent = headers(sign(body, secret))

    assert Proof("all", 0) == prove(body, sent, SourceKeys("web", secrets=(secret,)))
    with pytest.raises(SignatureMismatch):
        prove(body, sent, SourceKeys("web", secrets=(secret + b"x",)))


@settings(deadline=None, max_examples=150)
@given(batch=st.lists(events, min_size=1, max_size=4), secret=secrets)
def test_any_batch_is_proven_by_the_text_of_its_first_element_or_of_all(
    batch: list[Any], secret: bytes
) -> None:
    body = b"[" + b",".join(map(stringify, batch)) + b"]"
    keys = SourceKeys("web", secrets=(secret,))

    assert Proof("first", 0) == prove(body, headers(sign(stringify(batch[0]), secret)), keys)
    assert Proof("all", 0) == prove(body, headers(sign(body, secret)), keys)


@settings(deadline=None, max_examples=150)
@given(batch=st.lists(events, min_size=1, max_size=3), data=st.data())
def test_one_changed_byte_of_what_was_signed_is_refused(batch: list[Any], data: st.DataObject) -> None:
    first = stringify(batch[0])
    body = bytearray(b"[" + b",".join(map(stringify, batch)) + b"]")
    place = data.draw(st.integers(1, len(first)))
    body[place] ^= data.draw(st.integers(1, 255))

    with pytest.raises(SignatureMismatch):
        prove(bytes(body), headers(sign(first)), ONE_SECRET)


@settings(deadline=None, max_examples=100)
@given(first=events, forged=st.lists(events, max_size=3))
def test_elements_appended_by_a_stranger_are_never_proven(first: Any, forged: list[Any]) -> None:
    body = b"[" + b",".join(map(stringify, [first, *forged])) + b"]"

    assert prove(body, headers(sign(stringify(first))), ONE_SECRET).proven == "first"
