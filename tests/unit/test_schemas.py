"""What a schema document may say, how faults are reported, and which files there are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.errors import ConfigError
from connector.reference_schemas import schemas_page
from connector.schemas import own_schemas, read_schemas
from connector.schemas.properties import properties_of, requirements
from connector.schemas.resolve import resolve
from connector.validate import VALID, compile_schemas
from connector.values.names import SPEC_NAMES, spec_name

EXAMPLES = Path(__file__).parents[2] / "examples"
LEGACY = {
    "Viewed Product Category": "Product List Viewed",
    "Viewed Promotion": "Promotion Viewed",
    "Clicked Promotion": "Promotion Clicked",
    "Clicked Product": "Product Clicked",
    "Viewed Product": "Product Viewed",
    "Added Product": "Product Added",
    "Removed Product": "Product Removed",
    "Started Order": "Checkout Started",
    "Viewed Checkout Step": "Checkout Step Viewed",
    "Completed Checkout Step": "Checkout Step Completed",
    "Updated Order": "Order Updated",
    "Completed Order": "Order Completed",
}
"""What Segment's ecommerce pages call these events elsewhere (segment-docs 747b35d)."""
SHIPPED = read_schemas()
SCHEMAS = compile_schemas(SHIPPED)
POLICIES = 'must be "flag", "reject" or an object of keyword: "flag" or "reject"'


# Documents that are refused


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (3, "own.json must be a JSON object"),
        ({"title": "Gift \ud83c"}, "own.json holds half of a surrogate pair, which is no text"),
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
        ({"$id": "two words"}, "own.json#/$id is no URI"),
        ({"x-call": "identify"}, "own.json#/x-call identify is already taken by identify.json"),
        (
            {"x-call": "identfy"},
            "own.json#/x-call 'identfy' is not one of "
            "['identify', 'track', 'page', 'screen', 'group', 'alias', 'delete']",
        ),
        (
            {"properties": {"a": {"x-call": "delete"}}},
            "own.json#/properties/a x-call is allowed at the top of a document only",
        ),
        (
            {"title": "Gift Wrapped", "x-call": "delete"},
            "own.json is either about an event (title) or about a call type (x-call), not both",
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


@pytest.mark.parametrize("name", ["größe gewählt.json", "a#b.json", "%.json"])
def test_any_file_name_will_do(name: str) -> None:
    schemas = compile_schemas({name: {"title": "Own", "required": ["size"]}})

    assert [each.path for each in schemas.check({}, "Own").violations] == ["/size"]


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
    assert document.get("x-call", stem) == stem
    assert document["description"]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_document_has_an_example_that_satisfies_all_that_holds_for_it(name: str) -> None:
    document = SHIPPED[name]
    is_part = not {"title", "x-call"} & document.keys() and name != "envelope.json"

    for example in document["examples"]:
        if is_part:
            assert compile_schemas({"own.json": {"title": "Own", **document}}).check(example, "Own") is VALID
        else:
            assert SCHEMAS.check(example, example.get("event"), example["type"]) is VALID
            assert document.get("title") in (None, example.get("event"))
            assert document.get("x-call") in (None, example["type"])


def test_each_name_of_the_spec_has_exactly_one_document() -> None:
    titles = [document["title"] for document in SHIPPED.values() if "title" in document]

    assert sorted(titles) == sorted(SPEC_NAMES)


@pytest.mark.parametrize(("legacy", "name"), LEGACY.items())
def test_an_event_with_a_legacy_name_is_held_to_the_document_of_its_new_name(legacy: str, name: str) -> None:
    broken = {"type": "track", "event": legacy, "userId": "usr_48213", "properties": 7}

    assert spec_name(legacy) == name
    assert [each.path for each in SCHEMAS.check(broken, spec_name(legacy), "track").violations] == [
        "/properties"
    ]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("events/*.json")), ids=lambda path: path.stem)
def test_every_property_that_the_spec_has_is_described(path: Path) -> None:
    """The examples hold every documented property: ``test_examples``."""
    properties = json.loads(path.read_text())["properties"]
    described = {each.path for each in properties_of(resolve(path.name, SHIPPED))}

    assert properties.keys() <= described
    for list_of in ("products", "filters", "sorts"):
        for element in properties.get(list_of, ()):
            assert {f"{list_of}[].{key}" for key in element} <= described


def described_properties(schema: Any) -> Iterator[tuple[str, Any]]:
    """Yield each property of a schema, and of the properties inside it."""
    for key, inner in schema.get("properties", {}).items():
        yield key, inner
        yield from described_properties(inner)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_property_is_described_and_its_examples_satisfy_it(name: str) -> None:
    parts = {other: SHIPPED[other] for other in ("product.json", "promotion.json", "coupon.json")}
    properties = list(described_properties(SHIPPED[name]))
    alone = {str(number): {"title": str(number), **schema} for number, (_, schema) in enumerate(properties)}
    schemas = compile_schemas(parts | alone)

    assert properties or "$ref" in SHIPPED[name]["properties"]["properties"]
    for number, (key, schema) in enumerate(properties):
        found = [schemas.check(example, str(number)) for example in schema.get("examples", ())]
        assert (key, bool(schema.get("description")), set(found) - {VALID}) == (key, True, set())


def test_the_users_files_replace_and_join_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "product_added.json").write_text("{}")
    (tmp_path / "size_guide_opened.json").write_text('{"title": "Size Guide Opened"}')
    (tmp_path / "notes.txt").write_text("not a schema")

    documents = read_schemas(tmp_path)

    assert documents["product_added.json"] == {}
    assert own_schemas(tmp_path) == {
        "product_added.json": {},
        "size_guide_opened.json": {"title": "Size Guide Opened"},
    }
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


# A document that stands alone


ADDRESS = {"properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.mark.parametrize(
    ("beside", "target", "alone"),
    [
        ({"description": "Home"}, {"description": "A place", "type": "object"},
         {"description": "Home", "type": "object"}),
        ({"properties": {"zip": True}, "required": ["zip"]}, ADDRESS,
         {"properties": {"city": {"type": "string"}, "zip": True}, "required": ["city", "zip"]}),
        ({"properties": {"city": {"minLength": 1}}}, ADDRESS,
         {"properties": {"city": {"minLength": 1, "type": "string"}}, "required": ["city"]}),
        ({"type": "object"}, {"type": ["object", "null"]},
         {"type": "object", "allOf": [{"type": ["object", "null"]}]}),
        ({"additionalProperties": False}, ADDRESS, {"additionalProperties": False, "allOf": [ADDRESS]}),
        ({"x-policy": "reject"}, ADDRESS, {"x-policy": "reject", "allOf": [ADDRESS]}),
        ({"if": {"type": "null"}}, {"if": {"type": "string"}},
         {"if": {"type": "null"}, "allOf": [{"if": {"type": "string"}}]}),
        ({"allOf": [True]}, {"allOf": [{"type": "object"}]}, {"allOf": [{"type": "object"}, True]}),
        ({"type": "object"}, False, {"type": "object", "allOf": [False]}),
    ],
)  # fmt: skip
def test_a_reference_is_joined_with_what_stands_beside_it(beside: Any, target: Any, alone: Any) -> None:
    own = {"items": {"$ref": "#/$defs/target", **beside}, "$defs": {"target": target}}

    assert resolve("own.json", {"own.json": own}) == {"items": alone}


def test_references_are_followed_through_files() -> None:
    documents = {
        "own.json": {"$id": "urn:shop:own", "items": {"$ref": "urn:shop:part#/$defs/line"}},
        "part.json": {"$id": "urn:shop:part", "type": "object", "$defs": {"line": {"$ref": "#"}}},
    }

    assert resolve("own.json", documents) == {"$id": "urn:shop:own", "items": {"type": "object"}}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_document_can_stand_alone(name: str) -> None:
    assert '"$ref"' not in json.dumps(resolve(name, SHIPPED))


def test_a_document_that_refers_to_itself_cannot_stand_alone() -> None:
    with pytest.raises(
        ConfigError, match=r"^own\.json: refers to itself through #, so it cannot stand alone$"
    ):
        resolve("own.json", {"own.json": {"properties": {"parent": {"$ref": "#"}}}})


def test_properties_are_listed_with_what_is_asked_of_them() -> None:
    listed = {each.path: each for each in properties_of(resolve("order_completed.json", SHIPPED))}

    assert listed["order_id"].required == "yes"
    assert listed["currency"].required == "with revenue, subtotal, total"
    assert listed["products[].sku"].required == "this or product_id"
    assert listed["products[].price"].types == ("number", "null")
    assert listed["coupon"].examples == ("SPRING10",)


def test_requirements_name_a_choice_once() -> None:
    product = properties_of(resolve("product_viewed.json", SHIPPED))
    order = properties_of(resolve("order_completed.json", SHIPPED))

    assert requirements(product) == ["product_id or sku"]
    assert requirements(order) == [
        "order_id", "revenue", "products",
        "products[].product_id or sku", "products[].price", "products[].quantity",
    ]  # fmt: skip


def test_the_page_has_a_section_for_every_event_and_call_type_and_a_line_for_every_property() -> None:
    sections = {part.split("\n")[0]: part for part in schemas_page().split("\n## ")[1:]}

    assert [*sections] == [
        "`envelope`", "`identify`", "`track`", "`page`", "`screen`", "`group`", "`alias`", *SPEC_NAMES
    ]  # fmt: skip
    for name, document in SHIPPED.items():
        if "title" in document:
            section = sections[document["title"]]
            paths = [each.path for each in properties_of(resolve(name, SHIPPED))]
            assert [line.split("`")[1] for line in section.split("\n") if line.startswith("| `")] == paths
            assert document["description"] in section
    assert "| `order_id` | string | yes |" in sections["Order Completed"]
