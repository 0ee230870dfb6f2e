"""JSON as text: what closes, what an element is, what is repaired, and what is written."""

from __future__ import annotations

import hashlib
import json
import math
import mmap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector import jsontext
from connector.jsontext import canonical, closes, decode, dumps, elements, first_element, members, opening

BOM = b"\xef\xbb\xbf"
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
).filter(lambda value: "Infinity" not in json.dumps(value))


def mapped(text: bytes) -> mmap.mmap:
    memory = mmap.mmap(-1, len(text))
    memory[:] = text
    return memory


def test_opening_skips_a_byte_order_mark_and_blanks_but_only_once():
    assert opening(b"{}") == 0
    assert opening(BOM + b" \t\r\n{}") == 7
    assert opening(BOM + BOM + b"{}") == 3


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b" [1, 2]\r\n",
        BOM + b"{}",
        b'{"a":"}"}',
        b'["\\"]"]',
        b'{"a":NaN}',
        b"[1,,2]",
        b'["\\\\"]',
        b"[1e999]",
    ],
)
def test_a_text_closes_when_its_last_bracket_is_its_end(text):
    assert closes(text)
    assert closes(mapped(text))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"1",
        b'"a"',
        b"null",
        b"{",
        b"[}",
        b"{}]",
        b"{}{}",
        b"[1] 2",
        b'{"a":"}',
        b'["\\"]',
        b"]",
        b"a=b&c=d",
    ],
)
def test_a_text_does_not_close_when_brackets_are_missing_mixed_or_followed(text):
    assert not closes(text)


def test_long_texts_are_scanned_with_the_same_answer():
    long = b'[{"a":"' + b"\\n" * 150_000 + b'","b":["]"]},' + b'"x",' * 2000 + b"1]"

    assert len(long) > jsontext.WHOLE_PARSE_BYTES
    assert closes(mapped(long))
    assert not closes(long[:-1])
    assert not closes(long + b"]")
    assert not closes(long.replace(b'"]"]}', b'"]"}}'))


def test_depth_never_ends_in_a_recursion_error():
    deep = b"[" * 200_000 + b"]" * 200_000

    assert closes(deep)
    assert decode(deep).error == "too_deep"
    assert decode(b"[" * 200_000).error == "too_deep"
    assert not closes(b"[" * (jsontext.MAX_OPEN_BRACKETS + 1) + b"]" * (jsontext.MAX_OPEN_BRACKETS + 1))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (b"[]", []),
        (b" [ ] ", []),
        (b"[1]", [b"1"]),
        (BOM + b'[ {"a":[1,2]} ,"x,]" , 3 ]', [b'{"a":[1,2]}', b'"x,]"', b"3"]),
        (b"[1,,2]", [b"1", b"", b"2"]),
        (b"[1,]", [b"1"]),
        (b'[{"a":1},{"b":', [b'{"a":1}', b'{"b":']),
        (b'[1,"cut', [b"1", b'"cut']),
        (b'{"a":1}', []),
        (b"", []),
    ],
)
def test_elements_of_an_array_are_cut_at_its_own_commas(text, parts):
    assert [text[start:end] for start, end in elements(text)] == parts
    assert [mapped(text + b" ")[start:end] for start, end in elements(text)] == parts


def test_element_0_is_found_without_reading_the_rest():
    assert first_element(b'[ {"a":1}, broken') == (2, 9)
    assert first_element(b"[ ]") is None


def test_members_of_an_object_are_found_by_their_decoded_key():
    text = b'{"a" : [1,{"batch":2}], "b\\u0061tch":[3] , junk, "batch":4}'

    assert [(key, text[start:end]) for key, start, end in members(text)] == [
        ("a", b'[1,{"batch":2}]'),
        ("batch", b"[3]"),
        ("batch", b"4"),
    ]


@settings(max_examples=100, deadline=None)
@given(st.lists(values), st.sampled_from([None, 1]))
def test_elements_agree_with_the_parser(items, indent):
    text = json.dumps(items, indent=indent).encode()

    assert [json.loads(text[start:end]) for start, end in elements(text)] == items
    assert closes(text)


@settings(max_examples=100, deadline=None)
@given(values)
def test_what_is_dumped_decodes_to_the_same_value(value):
    text = dumps(value)

    decoded = decode(text.encode())
    assert decoded == (value, None, False)
    assert decode(canonical(value)) == decoded


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"[NaN,Infinity,-Infinity,1e400]", [math.nan, math.inf, -math.inf, math.inf]),
        (b'"\\ud800x"', "\ud800x"),
        (b'"a\xffb"', "a\ufffdb"),
        (b'"a\x01\n"', "a\x01\n"),
        (b"9" * 5000, math.inf),
    ],
)
def test_what_json_forbids_is_repaired_and_said(raw, value):
    assert repr(decode(raw)) == repr(jsontext.Decoded(value, None, True))


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"18446744073709551617", 2**64 + 1),
        (b"-9223372036854775809", -(2**63) - 1),
        (b'{"id":123456789012345678901234567890}', {"id": 123456789012345678901234567890}),
        (b"1" + b"0" * 400, 10**400),
        (b'"\\ud83d\\ude00 12345678901234567890"', "😀 12345678901234567890"),
        (b"0.1234567890123456789012", 0.1234567890123456789012),
        (b'{"a":1,"a":2}', {"a": 2}),
        (BOM + b"[1]", [1]),
    ],
)
def test_what_json_allows_is_exact_and_not_called_repaired(raw, value):
    assert decode(raw) == (value, None, False)


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", "not_json"),
        (b"nul", "not_json"),
        (b"{'a':1}", "not_json"),
        (b'{"a":1}}', "not_json"),
        (b"[1}", "not_json"),
        (b'{"a":1', "truncated"),
        (b'{"a":"x', "truncated"),
        (b'"abc', "truncated"),
        (b"[" * 257 + b"]" * 257, "too_deep"),
        (b'{"a":' * 257 + b"NaN" + b"}" * 257, "too_deep"),
        (b'"' + b"a" * jsontext.MAX_EVENT_BYTES + b'"', "too_large"),
    ],
)
def test_what_cannot_be_read_says_why(raw, error):
    assert decode(raw) == (None, error, False)


def test_depth_256_is_read_and_brackets_in_strings_are_not_depth():
    assert decode(b"[" * 256 + b"]" * 256).error is None
    assert decode(b"[" + b'"[[[{",' * 300 + b"1]").error is None
    hidden = b'["]",' * 300 + b"1" + b',"["]' * 300
    assert decode(hidden).error == "too_deep"


def test_dumps_writes_valid_json_whatever_it_is_given():
    assert dumps({"a": [1, "é", None]}) == '{"a":[1,"é",null]}'
    assert dumps({"a": "\ud800", "b": 2**80}) == f'{{"a":"\ufffd","b":{2**80}}}'
    assert dumps([math.nan, math.inf, 2**80]) == f"[null,null,{2**80}]"
    deep = decode(b"[" * 256 + b"]" * 256).value
    assert dumps(deep) == "[" * 256 + "]" * 256


def test_canonical_is_the_documented_text():
    event = {
        "userId": "u1",
        "type": "track",
        "timestamp": "2026-01-05T10:00:00.000Z",
        "properties": {"revenue": 25, "order_id": "o1"},
        "event": "Order Completed",
    }

    digest = hashlib.sha256(canonical(event)).hexdigest()

    assert digest == "501b3f103d547198d141b82b1fee5ad09ea9c06d9a38837697d69fff841a252c"


def test_canonical_sorts_by_code_point_and_escapes_everything_beyond_ascii():
    assert canonical({"\U0001f600": 1, "\uffff": 2, "b": 1e16, "a": -0.0}) == (
        b'{"a":-0.0,"b":1e+16,"\\uffff":2,"\\ud83d\\ude00":1}'
    )
    assert canonical(["\ud800", math.nan]) == b'["\\ud800",null]'
