"""Where in a schema document a rule stands."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from connector.schemas import read_schemas
from connector.schemas.lines import MAX_LINE_CHARS, Line, line_at

DOCUMENT = b"""\xef\xbb\xbf
{
  "title": "a \\"title\\" with { and [",
  "required": ["order_id"],
  "properties": {
    "a/b~c": {"type": "string"},
    "price":
      {"minimum": 0}
  },
  "anyOf": [
    {"required": ["x"]},
    {"required":
      ["y"]}
  ],
  "title": "again"
}
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), Line(2, "{")),
        (("required",), Line(4, '"required": ["order_id"],')),
        (("required", 0), Line(4, '"required": ["order_id"],')),
        (("properties", "a/b~c", "type"), Line(6, '"a/b~c": {"type": "string"},')),
        (("properties", "price"), Line(7, '"price":')),
        (("properties", "price", "minimum"), Line(8, '{"minimum": 0}')),
        (("anyOf", "1", "required"), Line(12, '{"required":')),
        (("anyOf", 1, "required", 0), Line(13, '["y"]}')),
        (("title",), Line(15, '"title": "again"')),
    ],
)
def test_a_path_leads_to_the_line_of_its_key(path: tuple[Any, ...], line: Line) -> None:
    assert line_at(DOCUMENT, path) == line


@pytest.mark.parametrize(
    "path", [("required", 7), ("required", "x"), ("required", 0, "deeper"), ("required", -1)]
)
def test_a_path_that_leads_nowhere_gives_the_nearest_place_around_it(path: tuple[Any, ...]) -> None:
    assert line_at(DOCUMENT, path).number == 4


@pytest.mark.parametrize("text", [b"{}", b"[]", b"true", b"", b'{"a":'])
def test_a_document_without_that_place_gives_its_first_line(text: bytes) -> None:
    assert line_at(text, ["b", 0]).number == 1


def test_of_a_document_in_one_line_the_text_begins_at_the_place() -> None:
    document = json.dumps({"properties": {"a": {"enum": ["x" * 200]}, "b": {"type": "string"}}}).encode()

    assert line_at(document, ["properties", "b"]) == Line(1, '"b": {"type": "string"}}}')
    assert len(line_at(document, ["properties"]).text) == MAX_LINE_CHARS + 1


def test_every_place_of_the_shipped_schemas_lies_on_a_line_that_names_it() -> None:
    for name, document in read_schemas().items():
        text = (files("connector.schemas") / name).read_bytes()
        for path in paths(document):
            if path and isinstance(path[-1], str):
                assert json.dumps(path[-1], ensure_ascii=False) in line_at(text, path).text, (name, path)


def paths(value: Any, above: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [above]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += paths(inner, (*above, key))
    return found
