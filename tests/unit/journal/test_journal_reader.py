"""The reader: formats told apart, events and their places, broken input beside good events."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest
from captured_samples import FILE, PAGE, VIEWED, frames, opener, read, summary

from connector.journal.reader import identify, open_captured


@pytest.fixture
def opened(tmp_path):
    return opener(tmp_path)


def test_frames_say_where_an_event_came_from(opened):
    file = opened(frames((VIEWED, "all"), (b"[%b, %b]" % (VIEWED, PAGE), "none")))

    events = read(file)

    assert [tuple(c)[:9] for c in events] == [
        (FILE, 0, "shop", "webhook", 1000, "all", json.loads(VIEWED), None, False),
        (FILE, 1, "shop", "webhook", 1001, "none", json.loads(VIEWED), None, False),
        (FILE, 2, "shop", "webhook", 1001, "none", json.loads(PAGE), None, False),
    ]
    assert [c.raw() for c in events] == [VIEWED, VIEWED, PAGE]
    assert [c.place for c in events] == ["frame 0, element 0", "frame 1, element 0", "frame 1, element 1"]
    assert (file.torn_bytes, file.missing_seq, file.corrupt_bytes) == (0, 0, 0)


@pytest.mark.parametrize(
    ("proven", "body", "expected"),
    [
        ("all", b"[{},{}]", ["all", "all"]),
        ("first", b"[{},{},{}]", ["first", "none", "none"]),
        ("first", b"[{broken},{}]", ["first", "none"]),
        ("first", b"{}", ["all"]),
        ("first", b'{"batch":[{},{}]}', ["all", "all"]),
        ("first", b'[{"batch":[{},{}]},{}]', ["first", "first", "none"]),
        ("none", b"{}", ["none"]),
    ],
)
def test_what_is_proven_is_said_per_element(opened, proven, body, expected):
    assert [c.proven for c in read(opened(frames((body, proven))))] == expected


def test_lines_of_ndjson_are_events_and_blank_lines_do_not_count(opened):
    file = opened(VIEWED + b"\r\n\n  \n" + PAGE, source="archive")

    events = read(file)

    identity = "h-" + hashlib.sha256(VIEWED + b"\r\n\n  \n" + PAGE).hexdigest()[:32]
    assert [tuple(c)[:9] for c in events] == [
        (identity, 0, "archive", "file", None, "none", json.loads(VIEWED), None, False),
        (identity, 1, "archive", "file", None, "none", json.loads(PAGE), None, False),
    ]
    assert [c.place for c in events] == ["line 0", "line 3"]
    assert [c.raw().strip() for c in events] == [VIEWED, PAGE]


def test_a_json_array_is_a_file_of_events(opened):
    file = opened(b"\xef\xbb\xbf [%b,\n%b]\n" % (VIEWED, PAGE))

    events = read(file)

    assert [(c.source, c.event["type"], c.place, c.raw()) for c in events] == [
        ("file", "track", "element 0", VIEWED),
        ("file", "page", "element 1", PAGE),
    ]


def test_arrays_may_follow_each_other_and_other_text_is_kept_as_broken(opened):
    assert summary(opened(b"[1]\n[2,3]\n")) == [
        (0, 1, None, "element 0"),
        (1, 2, None, "element 1"),
        (2, 3, None, "element 2"),
    ]
    events = read(opened(b"[1] rest\n"))
    assert [(c.event, c.error, c.raw()) for c in events] == [(1, None, b"1"), (None, "not_json", b"rest\n")]


@pytest.mark.parametrize("text", [b"", b"\n\n", b"[]", b" [ ] \n", b"\xef\xbb\xbf"])
def test_a_file_without_events_has_none(opened, text):
    assert read(opened(text)) == []


def test_a_broken_line_stays_beside_the_good_ones(opened):
    events = read(opened(VIEWED + b"\n{broken}\n" + b'{"a":\n' + PAGE + b"\n"))

    assert [c.error for c in events] == [None, "not_json", "truncated", None]
    assert [c.raw() for c in events] == [VIEWED, b"{broken}", b'{"a":', PAGE]
    assert [c.captured_index for c in events] == [0, 1, 2, 3]


def test_one_broken_element_of_a_batch_does_not_take_the_others_along(opened):
    body = b'[%b, {"a":}, {"n":NaN}, %b]' % (VIEWED, PAGE)

    events = read(opened(frames((body, "all"))))

    assert [(c.error, c.repaired) for c in events] == [
        (None, False),
        ("not_json", False),
        (None, True),
        (None, False),
    ]
    assert [c.raw() for c in events] == [VIEWED, b'{"a":}', b'{"n":NaN}', PAGE]


def test_the_batch_object_of_the_sdks_is_opened(opened):
    body = (
        b'{"batch":[{"type":"track","context":{"ip":"1"},"sentAt":"own"},{"type":"page","integrations":{"A":true}}],'
        b'"context":{"ip":"2","os":"x"},"integrations":{"A":false,"B":true},"sentAt":"t","writeKey":"secret"}'
    )
    expected = [
        {
            "type": "track",
            "context": {"ip": "1", "os": "x"},
            "integrations": {"A": False, "B": True},
            "sentAt": "own",
        },
        {
            "type": "page",
            "context": {"ip": "2", "os": "x"},
            "integrations": {"A": True, "B": True},
            "sentAt": "t",
        },
    ]
    slices = [
        b'{"type":"track","context":{"ip":"1"},"sentAt":"own"}',
        b'{"type":"page","integrations":{"A":true}}',
    ]

    for text, place in (
        (frames((body, "all")), "frame 0, "),
        (body + b"\n", "line 0, "),
        (b"[%b]" % body, "element 0, "),
        (frames((b"[%b]" % body, "all")), "frame 0, element 0, "),
    ):
        events = read(opened(text))
        assert [c.event for c in events] == expected
        assert [c.raw() for c in events] == slices
        assert [c.place for c in events] == [f"{place}element 0", f"{place}element 1"]


def test_an_event_with_a_type_is_no_batch_and_elements_that_are_no_objects_stay(opened):
    assert [c.event for c in read(opened(b'{"type":"track","batch":[1]}'))] == [
        {"type": "track", "batch": [1]}
    ]
    assert [c.event for c in read(opened(b'{"batch":[1,null,{}],"sentAt":"t"}'))] == [
        1,
        None,
        {"sentAt": "t"},
    ]
    assert [c.event for c in read(opened(b'{"batch":{}}'))] == [{"batch": {}}]


def test_good_events_of_a_batch_object_that_cannot_be_decoded_land(opened):
    body = b'{"sentAt":"t","context":{"a":1},"batch":[{"type":"track"},{"type":},{"type":"page"}]}'

    events = read(opened(frames((body, "all"))))

    assert [(c.event, c.error) for c in events] == [
        ({"type": "track", "context": {"a": 1}, "sentAt": "t"}, None),
        (None, "not_json"),
        ({"type": "page", "context": {"a": 1}, "sentAt": "t"}, None),
    ]
    assert [c.raw() for c in events] == [b'{"type":"track"}', b'{"type":}', b'{"type":"page"}']


def test_limits_are_per_event_not_per_batch(opened):
    nested = b"[" * 256 + b"]" * 256
    too_deep = b"[" * 257 + b"]" * 257
    large = b'{"a":"%b"}' % (b"x" * (9 * 1024 * 1024))
    huge = b'{"a":"%b"}' % (b"x" * (16 * 1024 * 1024))

    def errors(text):
        return [c.error for c in read(opened(text))]

    for shape in (b"[%b,%b,%b,%b]", b'{"batch":[%b,%b,%b,%b]}'):
        body = shape % (nested, too_deep, b"1", nested)
        assert errors(frames((body, "all"))) == [None, "too_deep", None, None]
        body = shape % (large, huge, b"1", large)
        assert errors(frames((body, "all"))) == [None, "too_large", None, None]
    assert errors(b"%b\n%b\n1\n" % (huge, too_deep)) == ["too_large", "too_deep", None]


def test_integers_beyond_64_bits_are_exact_in_a_batch_too(opened):
    events = read(opened(frames((b'[{"id":18446744073709551617},{"id":1}]', "all"))))

    assert [c.event["id"] for c in events] == [2**64 + 1, 1]


def test_identity_survives_name_and_compression_but_not_content(tmp_path):
    text = VIEWED + b"\n"
    (tmp_path / "a.ndjson").write_bytes(text)
    (tmp_path / "b").write_bytes(gzip.compress(text))
    (tmp_path / "c.gz").write_bytes(gzip.compress(text[:30]) + gzip.compress(text[30:]))
    (tmp_path / "d").write_bytes(text * 2)

    names = {identify(tmp_path / name) for name in ("a.ndjson", "b", "c.gz")}

    digest = hashlib.sha256(text).hexdigest()
    assert names == {(f"h-{digest[:32]}", "content", len(text), digest)}
    assert identify(tmp_path / "d").name != f"h-{digest[:32]}"


def test_frames_are_called_what_they_say_whatever_the_file_is_called(tmp_path):
    text = frames((VIEWED, "all"))
    (tmp_path / "renamed.gz").write_bytes(text)

    found = identify(tmp_path / "renamed.gz")

    assert (found.name, found.kind, found.bytes) == (FILE, "frames", len(text))
    (tmp_path / "torn").write_bytes(text[:90])
    assert identify(tmp_path / "torn").name == FILE
    (tmp_path / "torn").write_bytes(text[:20])
    assert identify(tmp_path / "torn").name.startswith("h-")


def test_parts_end_at_the_first_end_at_or_after_their_size(opened):
    line = b'{"n":1}\n'

    def sizes(text, part_bytes):
        return [len(list(part)) for part in opened(text, part_bytes=part_bytes).parts()]

    assert sizes(line * 5, 2 * len(line)) == [2, 2, 1]
    assert sizes(line * 5, 2 * len(line) + 1) == [3, 2]
    assert sizes(gzip.compress(line * 5), 2 * len(line)) == [2, 2, 1]
    assert sizes(b"[" + b",".join([b"12345"] * 5) + b"]", 12) == [2, 2, 1]
    one = len(frames((b"[1,2]", "all")))
    assert sizes(frames(*[(b"[1,2]", "all")] * 3), one + 1) == [4, 2]
    assert sizes(frames(*[(b"[1,2]", "all")] * 3), 1) == [2, 2, 2]


def test_numbers_run_through_all_parts_even_if_one_is_not_consumed(opened):
    file = opened(b"1\n2\n3\n4\n", part_bytes=4)

    parts = file.parts()
    next(parts)
    second = next(parts)

    assert [(c.captured_index, c.place, c.event) for c in second] == [(2, "line 2", 3), (3, "line 3", 4)]
    assert next(parts, None) is None


def test_one_object_over_several_lines_is_one_event(tmp_path):
    path = tmp_path / "event.json"
    path.write_bytes(b'{\n  "type": "track",\n  "event": "Gift Wrapped"\n}\n')

    events = [event for part in open_captured(path).parts() for event in part]

    assert [(event.event, event.error, event.captured_index) for event in events] == [
        ({"type": "track", "event": "Gift Wrapped"}, None, 0)
    ]


def test_a_broken_first_line_among_events_is_one_broken_record(tmp_path):
    path = tmp_path / "events.ndjson"
    path.write_bytes(b'{"type": "track",\n{"type": "track", "event": "Gift Wrapped"}\n')

    events = [event for part in open_captured(path).parts() for event in part]

    assert [event.error for event in events] == ["truncated", None]


@pytest.mark.parametrize("text", [VIEWED + b"\n", b"[%b]" % VIEWED, frames((VIEWED, "all"))])
def test_a_copy_of_an_object_is_called_as_the_object_whatever_it_holds(opened, text):
    file = opened(gzip.compress(text), source="archive", object_name="s-0123")

    (event,) = read(file)

    assert file.identity == ("s-0123", "object", len(text), hashlib.sha256(text).hexdigest())
    assert (event.captured_file, event.event) == ("s-0123", json.loads(VIEWED))
    assert event.source == ("shop" if file.names_sources else "archive")


def test_a_damaged_journal_file_that_was_put_into_s3_is_still_told_by_its_name(opened):
    text = b"\xff" * 8 + frames((VIEWED, "all"), (PAGE, "all"))[8:]

    file = opened(text, name=f"{FILE}.gz", object_name="s-0123")

    assert [c.error for c in read(file)] == ["journal_corrupt", None]
