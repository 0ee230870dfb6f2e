"""Whole bodies from frame to rows: every element has one outcome, in order, and its neighbours do not matter.

The elements are anything that a sender has ever put between two commas: good events, events with what JSON
forbids, and text that is no JSON at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from event_strategies import BY_NAME, EVENTS, PIPELINE
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.cases import public_outcome
from connector.events import Capture, Captured, Outcome
from connector.journal.frames import frame_header
from connector.journal.reader import open_captured

LAW = settings(deadline=None, max_examples=60)
NOON_MS = 1_773_489_600_000
JOURNAL_FILE = "20260314T120000000Z-shop.example-1-0f3a5c77"
VIEW = b'{"type":"track","event":"Product Viewed","messageId":"m","userId":"u","properties":{%b}}'

Found = list[tuple[Captured, Outcome]]
Wrap = Callable[[list[bytes]], bytes]


def frames_of(*captures: Capture) -> bytes:
    """A journal file's bytes."""
    framed = (frame_header(item, JOURNAL_FILE, seq) + item.body[:] for seq, item in enumerate(captures))
    return b"".join(text + b"\n" for text in framed)


def read_back(content: bytes, path: Path) -> Found:
    """Every event of a captured file and its outcome, as the writer would see them."""
    path.write_bytes(content)
    return [
        (captured, PIPELINE(captured))
        for part in open_captured(path, source="web").parts()
        for captured in part
    ]


def gist(outcome: Outcome) -> Any:
    """An outcome without the place that a rejection tells."""
    if outcome.rejected is not None:
        return outcome.rejected._replace(message="")
    return outcome.fate, public_outcome(outcome, BY_NAME)


def as_text(value: Any, ascii_only: bool) -> bytes:
    """How a careless sender writes it: NaN as a bare word, lone surrogates as bytes that are no UTF-8."""
    return json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


VALID = st.builds(as_text, EVENTS, st.booleans())
ODD = st.sampled_from(
    [
        VIEW % b'"price":NaN,"tax":-Infinity',
        VIEW % b'"price":1e400',
        VIEW % b'"product_id":9007199254740993,"sku":123456789012345678901234567890',
        VIEW % b'"quantity":18446744073709551616',
        VIEW % rb'"name":"\ud83d","brand":"\udc00\ud800"',
        VIEW % b'"name":"caf\xe9"',
        VIEW % b'"name":"\xed\xa0\xbd"',
        VIEW % b'"name":"a\0b","brand":"a\tb"',
        VIEW % rb'"name":"a\u0000b"',
        VIEW % '"name":"line\u2028line\u2029"'.encode(),
        VIEW % b'"price":5,"price":6,"Price":7',
        b"\xef\xbb\xbf" + VIEW % b"",
        b'{"event":"Product Viewed","batch":"of tea"}',
    ]
)
BROKEN = st.sampled_from(
    [b"{bad}", b"tru", b'{"type":"track",}', b'{"a":1 "b":2}', b"{'type':'track'}", b'{"a":}', b"undefined",
     b"5", b"null", b'"Order Completed"', b"[]", b"[1,2]", b"{}", b'{"a":' * 300 + b"1" + b"}" * 300]
)  # fmt: skip
ELEMENTS = st.lists(VALID | ODD | BROKEN, max_size=6)


def array(elements: list[bytes]) -> bytes:
    return b"[" + b",".join(elements) + b"]"


def spaced(elements: list[bytes]) -> bytes:
    return b"\xef\xbb\xbf [\n  " + b" ,\r\n\t".join(elements) + b"\n]\n"


def batch(elements: list[bytes]) -> bytes:
    return (
        b'{"sentAt":"2026-03-14T12:00:01.000Z","batch":%b,"writeKey":"wk",'
        b'"context":{"locale":"en-GB","app":{"name":"Shop"}},"integrations":{"All":true}}' % array(elements)
    )


def batch_of_odd_context(elements: list[bytes]) -> bytes:
    return (
        b'{"context":{"ip":"caf\xe9","screen":{"width":NaN}},"sentAt":null,"batch":%b}' % spaced(elements)[3:]
    )


@LAW
@given(
    ELEMENTS,
    st.sampled_from([array, spaced, batch, batch_of_odd_context]),
    st.sampled_from(["webhook", "batch"]),
)
def test_every_element_of_a_body_has_one_outcome_and_it_is_the_one_it_has_alone(
    tmp_path_factory: pytest.TempPathFactory, elements: list[bytes], wrap: Wrap, route: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "frames"

    def outcomes(some: list[bytes]) -> Found:
        return read_back(frames_of(Capture("web", route, NOON_MS, wrap(some), "all")), path)

    found = outcomes(elements)

    assert [captured.captured_index for captured, _ in found] == list(range(len(elements)))
    assert [captured.raw() for captured, _ in found] == elements
    for element, (_, outcome) in zip(elements, found, strict=True):
        ((_, alone),) = outcomes([element])
        assert gist(outcome) == gist(alone)


UNCLOSED = st.sampled_from(
    [b'{"type":"track"', b'{"event":"A","properties":{"a":[1', b'{"name":"', b'[{"a":1}', b"}"]
)


@LAW
@given(st.lists(VALID | ODD | BROKEN | UNCLOSED, max_size=6))
def test_every_line_of_a_plain_file_has_one_outcome_and_it_is_the_one_it_has_alone(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines"
    first = VIEW % b""

    found = read_back(b"\n".join([first, *lines]), path)

    assert [captured.captured_index for captured, _ in found] == list(range(1 + len(lines)))
    assert [captured.raw() for captured, _ in found] == [first, *lines]
    for line, (_, outcome) in zip(lines, found[1:], strict=True):
        _, (_, alone) = read_back(first + b"\n" + line, path)
        assert gist(outcome) == gist(alone)


def flags_of(body: bytes, folder: Path) -> list[list[str]]:
    """Flag codes of each event of a body."""
    found = read_back(frames_of(Capture("web", "webhook", NOON_MS, body, "all")), folder / "frames")
    return [[flag.code for row in outcome.rows for flag in row.columns["flags"]] for _, outcome in found]


PLAIN = b'{"type":"page","messageId":"m","userId":"u","timestamp":"2026-03-14T12:00:00.000Z"%b}'


def test_what_is_odd_about_one_event_of_a_batch_is_not_said_of_the_others(tmp_path: Path) -> None:
    body = b'{"batch":[%b,%b]}' % (PLAIN % b',"own":NaN', PLAIN % b"")

    assert flags_of(body, tmp_path) == [["json_repaired"], []]


@pytest.mark.parametrize("context", [b'{"own":NaN}', b"{own}"])
def test_what_is_odd_about_the_shared_context_is_said_of_every_event(context: bytes, tmp_path: Path) -> None:
    body = b'{"context":%b,"batch":[%b,%b]}' % (context, PLAIN % b"", PLAIN % b"")

    assert flags_of(body, tmp_path) == [["json_repaired"]] * 2
