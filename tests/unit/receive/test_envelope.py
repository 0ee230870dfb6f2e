"""Whose body it is and how many events it brings, from the bytes as they came."""

from __future__ import annotations

import json
import mmap
import tempfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from receive_fakes import EVENT, SECOND

from connector.jsontext import WHOLE_PARSE_BYTES, closes
from connector.receive.envelope import Envelope, read_envelope

BATCH = b'{"batch":[' + EVENT + b"," + SECOND + b'],"sentAt":"2026-11-21T21:18:29Z","writeKey":"k"}'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(BATCH, Envelope(b"k", 2, True), id="a batch"),
        pytest.param(EVENT, Envelope(None, 1, True), id="one event without a key"),
        pytest.param(b'{"writeKey":"k","type":"track"}', Envelope(b"k", 1, True), id="one event"),
        pytest.param(b'\xef\xbb\xbf {"writeKey":"k"}', Envelope(b"k", 1, True), id="a byte-order mark"),
        pytest.param(
            b'{"writeKey":"a","writeKey":"b"}', Envelope(b"b", 1, True), id="of equal keys the last"
        ),
        pytest.param(b'{"writeKey":7}', Envelope(None, 1, True), id="a key that is no text"),
        pytest.param(b'{"writeKey":""}', Envelope(None, 1, True), id="an empty key"),
        pytest.param(b'{"event":{"writeKey":"k"}}', Envelope(None, 1, True), id="a key further inside"),
        pytest.param(
            b'{"batch":[]}', Envelope(None, 1, True), id="an empty batch is one request all the same"
        ),
        pytest.param(b'{"batch":"no"}', Envelope(None, 1, True), id="a batch that is no list"),
        pytest.param(b'{"type":"track","batch":[1,2]}', Envelope(None, 1, True), id="an event with a batch"),
        pytest.param(b"[1,2,3]", Envelope(None, 3, True), id="an array"),
        pytest.param(b"[" + BATCH + b"," + EVENT + b"]", Envelope(None, 3, True), id="a batch in an array"),
        pytest.param(b'{"writeKey":"k","n":NaN}', Envelope(b"k", 1, True), id="a number JSON does not have"),
        pytest.param(b'{"writeKey":"k","t":"\\ud83d"}', Envelope(b"k", 1, True), id="half an emoji"),
        pytest.param(b'{"writeKey":"k","t":"a\nb"}', Envelope(b"k", 1, True), id="a line break in a text"),
        pytest.param(b'{"writeKey":"k","t":"\xff"}', Envelope(b"k", 1, True), id="not UTF-8"),
        pytest.param(b"12", Envelope(None, 1, False), id="a number"),
        pytest.param(b'"text"', Envelope(None, 1, False), id="a text"),
        pytest.param(b"", Envelope(None, 1, None), id="nothing"),
        pytest.param(b"hello", Envelope(None, 1, None), id="a word"),
    ],
)
def test_the_envelope_of(body: bytes, expected: Envelope) -> None:
    assert expected == read_envelope(body)


def test_in_a_body_that_does_not_parse_the_last_key_and_the_message_ids_count() -> None:
    body = b'{"batch":[' + EVENT + b" " + SECOND + b'],"writeKey" : "k"}'

    assert Envelope(b"k", 2, None) == read_envelope(body)
    assert closes(body)


@pytest.mark.parametrize(
    ("body", "events"),
    [
        pytest.param(b'{"batch":[{}' + b",{}" * 999 + b" {}]}", 50, id="nothing but commas"),
        pytest.param(b"[" + b'{"messageId":"m"},' * 30 + b"{}{}]", 30, id="short events with their ids"),
        pytest.param(b'{"batch":[{"a":1}{"a":2}]}', 1, id="neither"),
    ],
)
def test_a_body_that_does_not_parse_is_estimated_by_ids_or_commas_whichever_is_more(
    body: bytes, events: int
) -> None:
    assert read_envelope(body).events == events


def test_nesting_beyond_every_reader_is_no_error() -> None:
    body = b'{"writeKey":"k","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    assert Envelope(b"k", 1, None) == read_envelope(body)


def test_a_mapped_body_is_read_like_bytes_and_can_be_closed_afterwards() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(BATCH)
        file.flush()
        body = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    assert Envelope(b"k", 2, True) == read_envelope(body)
    body.close()


def test_a_large_body_is_read_whole() -> None:
    body = b'{"batch":[' + b",".join([EVENT] * 5_000) + b'],"writeKey":"k"}'

    assert len(body) > WHOLE_PARSE_BYTES
    assert Envelope(b"k", 5_000, True) == read_envelope(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None, max_examples=100)
@given(st.lists(JSON, max_size=5), st.text(st.characters(codec="utf-8"), min_size=1), st.booleans())
def test_any_batch_is_counted_and_its_key_found(events: list[Any], key: str, ascii_only: bool) -> None:
    body = json.dumps({"batch": events, "writeKey": key}, ensure_ascii=ascii_only)

    assert read_envelope(body.encode()) == Envelope(key.encode(), max(1, len(events)), True)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=60) | st.text('{}[]",:ab1 \\n').map(str.encode))
def test_what_it_says_of_the_shape_is_what_the_brackets_say(body: bytes) -> None:
    found = read_envelope(body)

    assert found.events >= 1
    assert found.is_json in (None, closes(body))
