"""What a violation costs: who says so, and how a folder of one's own changes it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from schema_samples import ABSENT, CALLS, SCHEMAS, SHIPPED, changed, check, one

from connector.schemas import read_schemas
from connector.validate import compile_schemas

# Policy


def test_shipped_schemas_only_flag() -> None:
    worst = {"properties": {"order_id": None, "products": [None], "revenue": "1"}}

    checked = SCHEMAS.check(worst, "Order Completed")

    assert (len(checked.violations) > 3, checked.rejects) == (True, False)


@pytest.mark.parametrize(
    ("policies", "event", "rejects"),
    [
        ({}, {"order": {"id": 1}}, False),
        ({"": "reject"}, {"order": {"id": 1}}, True),
        ({"": "reject", "order": "flag"}, {"order": {"id": 1}}, False),
        ({"": "reject", "order": "flag"}, {"order": "1"}, False),
        ({"": "reject", "order": "flag"}, {}, True),
        ({"order/id": "reject"}, {"order": {"id": 1}}, True),
        ({"order/id": "reject"}, {"order": {}}, False),
        ({"order": {"required": "reject"}}, {"order": {}}, True),
        ({"order": {"required": "reject"}}, {"order": {"id": 1}}, False),
        ({"": {"required": "reject"}}, {"order": {}}, True),
        ({"": {"required": "reject"}, "order": {"required": "flag"}}, {"order": {}}, False),
        ({"": "reject", "order": {"required": "flag"}}, {"order": {"id": 1}}, True),
    ],
)
def test_the_nearest_statement_of_a_policy_decides(
    policies: dict[str, Any], event: Any, rejects: bool
) -> None:
    def stating(place: str, schema: Any) -> Any:
        return {**schema, "x-policy": policies[place]} if place in policies else schema

    order_id = stating("order/id", {"type": "string"})
    order = stating("order", {"type": "object", "required": ["id"], "properties": {"id": order_id}})
    schemas = one(stating("", {"required": ["order"], "properties": {"order": order}}))

    checked = schemas.check(event, "Own")

    assert (len(checked.violations), checked.rejects) == (1, rejects)


def test_a_policy_holds_behind_a_reference_until_something_nearer_says_otherwise() -> None:
    part = {"properties": {"price": {"type": "number"}, "note": {"type": "string", "x-policy": "flag"}}}
    schemas = compile_schemas(
        {
            "part.json": {"$id": "urn:shop:part", **part},
            "own.json": {"title": "Own", "items": {"$ref": "urn:shop:part"}, "x-policy": "reject"},
        }
    )

    assert schemas.check([{"price": "1"}], "Own").rejects is True
    assert schemas.check([{"note": 1}], "Own").rejects is False


def test_one_rejecting_violation_rejects_even_beyond_the_listed_ones() -> None:
    schemas = one(
        {
            "properties": {
                "lines": {"items": {"type": "object"}},
                "zone": {"type": "string", "x-policy": "reject"},
            }
        }
    )

    checked = schemas.check({"lines": [1] * 200, "zone": 1}, "Own")

    assert "/zone" not in [violation.path for violation in checked.violations]
    assert checked.rejects is True


def test_a_user_makes_a_shipped_schema_reject_by_replacing_its_file(tmp_path: Path) -> None:
    own = SHIPPED["order_completed.json"] | {"x-policy": {"required": "reject"}}
    (tmp_path / "order_completed.json").write_text(json.dumps(own))
    schemas = compile_schemas(read_schemas(tmp_path))

    text_revenue = changed("order_completed", "properties/revenue", "112.50")
    without_products = changed("order_completed", "properties/products", ABSENT)

    assert schemas.check(text_revenue, "Order Completed").rejects is False
    assert schemas.check(without_products, "Order Completed").rejects is True


def test_a_folder_adds_an_event_makes_a_shipped_rule_reject_and_says_more_of_a_call_type(
    tmp_path: Path,
) -> None:
    order = copy.deepcopy(SHIPPED["order_completed.json"])
    order["properties"]["properties"]["properties"]["revenue"]["x-policy"] = "reject"
    order["properties"]["properties"]["x-policy"] = {"required": "reject"}
    gift = {"title": "Gift Wrapped", "properties": {"properties": {"required": ["paper"], "type": "object"}}}
    strict = copy.deepcopy(SHIPPED["identify.json"]) | {"required": ["userId"]}
    for name, document in {"order_completed": order, "gift_wrapped": gift, "identify": strict}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    schemas = compile_schemas(read_schemas(tmp_path))

    without_revenue = schemas.check(
        changed("order_completed", "properties/revenue", ABSENT), "Order Completed"
    )
    text_tax = schemas.check(changed("order_completed", "properties/tax", "9"), "Order Completed")
    unwrapped = changed("track_custom", "event", "Gift Wrapped")

    assert ([each.path for each in without_revenue.violations], without_revenue.rejects) == (
        ["/properties/revenue"],
        True,
    )
    assert (len(text_tax.violations), text_tax.rejects) == (1, False)
    assert check(unwrapped, schemas) == [("/properties/paper", "required", "missing")]
    assert check(changed("identify", "userId", ABSENT), schemas) == [("/userId", "required", "missing")]
    assert check(CALLS["page"], schemas) == []
