"""What a schema document may say, how faults are reported, and which files there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.errors import ConfigError
from connector.schemas import read_schemas
from connector.validate import VALID, compile_schemas

SHIPPED = read_schemas()
SCHEMAS = compile_schemas(SHIPPED)
POLICIES = 'must be "flag", "reject" or an object of keyword: "flag" or "reject"'


# Documents that are refused


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (3, "own.json must be a JSON object"),
        ({"type": "decimal"}, "own.json#/type 'decimal' is not valid under any of the given schemas"),
        ({"requird": ["a"]}, "own.json# requird is no keyword of draft 2020-12 that can be used here"),
        (
            {"properties": {"a": {"x-policy": "drop"}}},
            f"own.json#/properties/a/x-policy {POLICIES}",
        ),
        (
            {"x-policy": {"requird": "reject"}},
            f"own.json#/x-policy {POLICIES}",
        ),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#"},
            "own.json#/$schema 'https://json-schema.org/draft/2020-12/schema' was expected",
        ),
        ({"items": {"$ref": "urn:shop:none"}}, "own.json#/items $ref urn:shop:none leads nowhere"),
        ({"$ref": "#/$defs/none"}, "own.json# $ref #/$defs/none leads nowhere"),
        ({"$ref": "https://example.com/schema"}, "own.json# $ref https://example.com/schema leads nowhere"),
        (
            {"items": {"$id": "urn:shop:inner"}},
            "own.json#/items $id is allowed at the top of a document only",
        ),
        (
            {"title": "Order Completed"},
            "own.json#/title Order Completed is already taken by order_completed.json",
        ),
    ],
)
def test_a_faulty_document_is_refused_with_its_file_and_place(document: Any, fault: str) -> None:
    with pytest.raises(ConfigError) as refused:
        compile_schemas(SHIPPED | {"own.json": document})

    assert refused.value.message == fault


@pytest.mark.parametrize(("keyword", "value"), [("format", "date_time"), ("pattern", "([")])
def test_an_unknown_format_and_an_unusable_pattern_are_faults_of_the_file_that_has_them(
    keyword: str, value: str
) -> None:
    product = SHIPPED["product.json"] | {"properties": {"sku": {keyword: value}}}

    with pytest.raises(ConfigError) as refused:
        compile_schemas(SHIPPED | {"product.json": product})

    assert refused.value.message.startswith(f"product.json#/properties/sku/{keyword} ")
    assert len(refused.value.message.splitlines()) == 1


def test_all_faults_are_reported_together() -> None:
    with pytest.raises(ConfigError) as refused:
        compile_schemas(
            {"a.json": {"minimum": "0"}, "b.json": {"typ": "object", "items": {"required": "id"}}}
        )

    assert [line.split(" ")[0] for line in refused.value.message.splitlines()] == [
        "a.json#/minimum",
        "b.json#",
        "b.json#/items/required",
    ]


def test_two_files_cannot_have_the_same_id() -> None:
    with pytest.raises(ConfigError, match=r"b\.json#/\$id urn:shop:x is already taken by a\.json"):
        compile_schemas({"a.json": {"$id": "urn:shop:x"}, "b.json": {"$id": "urn:shop:x"}})


def test_the_fingerprint_is_that_of_the_content_whatever_the_order() -> None:
    reordered = dict(reversed(SHIPPED.items()))
    stricter = SHIPPED | {"order_completed.json": SHIPPED["order_completed.json"] | {"x-policy": "reject"}}

    assert len(SCHEMAS.fingerprint) == 64
    assert compile_schemas(reordered).fingerprint == SCHEMAS.fingerprint
    assert compile_schemas(stricter).fingerprint != SCHEMAS.fingerprint


# The shipped files, and the user's


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_file_is_a_described_schema_with_its_own_name(name: str) -> None:
    document = SHIPPED[name]
    stem = name.removesuffix(".json")

    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["$id"] == f"urn:segment-lake:schema:{stem}"
    assert document.get("title", stem).lower().replace(" ", "_") == stem
    assert document["description"]


def described_properties(schema: Any) -> Iterator[tuple[str, Any]]:
    """Yield each property of a schema, and of the properties inside it."""
    for key, inner in schema.get("properties", {}).items():
        yield key, inner
        yield from described_properties(inner)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_property_is_described_and_its_examples_satisfy_it(name: str) -> None:
    parts = {other: document for other, document in SHIPPED.items() if other != "envelope.json"}

    properties = list(described_properties(SHIPPED[name]))

    assert properties
    for key, schema in properties:
        schemas = compile_schemas(parts | {"own.json": {"title": "Own", **schema}})
        found = [schemas.check(example, "Own") for example in schema.get("examples", ())]
        assert (key, bool(schema.get("description")), set(found) - {VALID}) == (key, True, set())


def test_the_users_files_replace_and_join_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "product_added.json").write_text("{}")
    (tmp_path / "size_guide_opened.json").write_text('{"title": "Size Guide Opened"}')
    (tmp_path / "notes.txt").write_text("not a schema")

    documents = read_schemas(tmp_path)

    assert documents["product_added.json"] == {}
    assert set(documents) == set(SHIPPED) | {"size_guide_opened.json"}
    assert list(documents) == sorted(documents)


def test_every_file_that_is_not_json_is_named(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text("{")

    with pytest.raises(ConfigError) as refused:
        read_schemas(tmp_path)

    assert [line.split(":")[0] for line in refused.value.message.splitlines()] == ["a.json", "b.json"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="own-schemas"):
        read_schemas(tmp_path / "own-schemas")
