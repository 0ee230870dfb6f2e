"""Traps in mappings and in whole documents: what resolves to nothing, and what only the action makes one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.mapping.lint import ActionFacts, lint_document, lint_mapping

KEPT = ("product_id", "sku", "price")

ACTIONS = {
    "trackEvent": ActionFacts(required=frozenset(["event"])),
    "trackPurchase": ActionFacts(frozenset(["event"]), makes_purchases=True, product_keys=KEPT),
    "storePurchase": ActionFacts(
        frozenset(["event"]), prefilled=True, makes_purchases=True, product_keys=KEPT
    ),
}


def path(text: str) -> Any:
    return {"@path": text}


MAPPINGS: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "a plain text that looks like a path": ({"a": "$.event"}, [("text-like-path", "/a")]),
    "a plain text that looks like a template": ({"a": ["{{event}}"]}, [("text-like-template", "/a/0")]),
    "quotes around a key with a dot": ({"a": path("$.a['x.y']")}, [("path-dot", "/a/@path")]),
    "a backslash before a dot": ({"a": path(r"$.a\.b")}, [("path-dot", "/a/@path")]),
    "a wildcard": ({"a": path("$.a.*.c")}, [("path-wildcard", "/a/@path")]),
    "a wildcard in brackets": ({"a": path("$.products[*].sku")}, [("path-wildcard", "/a/@path")]),
    "empty brackets": ({"a": path("$.products[].sku")}, [("path-wildcard", "/a/@path")]),
    "a negative index": ({"a": path("$.products[-1].sku")}, [("path-negative-index", "/a/@path")]),
    "a bracket without quotes": ({"a": path("$.a[b]")}, [("path-bracket", "/a/@path")]),
    "a root in the middle": ({"a": path("a.$.b")}, [("path-inner-root", "/a/@path")]),
    "a root twice": ({"a": path("$.$.a")}, [("path-inner-root", "/a/@path")]),
    "a blank before the root": ({"a": path(" $.event")}, [("path-inner-root", "/a/@path")]),
    "a root without a dot": ({"a": path("$event")}, [("path-dollar", "/a/@path")]),
    "a root alone": ({"a": path("$")}, [("path-dollar", "/a/@path")]),
    "a root in a template": ({"a": {"@template": "x {{ $.name }}"}}, [("template-root", "/a/@template")]),
    "three braces": ({"a": {"@template": "{{{$.name}}}"}}, [("template-root", "/a/@template")]),
    "a wildcard in a template": ({"a": {"@template": "{{a[*].b}}"}}, [("path-wildcard", "/a/@template")]),
    "blank": ({"a": {"@if": {"blank": path("$.a"), "then": 1}}}, [("if-blank", "/a/@if/blank")]),
    "an else that is false": (
        {"a": {"@if": {"exists": path("$.a"), "then": 1, "else": False}}},
        [("if-else-falsy", "/a/@if/else")],
    ),
    "a condition on nothing": ({"a": {"@if": {"exists": "", "then": 1}}}, [("if-condition", "/a/@if")]),
    "a path inside a condition": (
        {"a": {"@if": {"exists": path("$.a"), "then": "$.a"}}},
        [("text-like-path", "/a/@if/then")],
    ),
    "a mode in upper case": (
        {"a": {"@json": {"mode": "Encode", "value": path("$.a")}}},
        [("json-mode-case", "/a/@json/mode")],
    ),
    "a direction in upper case": (
        {"a": {"@merge": {"direction": "Left", "objects": [path("$.a")]}}},
        [("merge-direction", "/a/@merge/direction")],
    ),
    "no direction": ({"a": {"@merge": {"objects": []}}}, [("merge-direction", "/a/@merge")]),
    "a case of another name": (
        {"a": {"@case": {"operator": "Lower", "value": path("$.a")}}},
        [("case-operator", "/a/@case/operator")],
    ),
    "a directive inside another": (
        {"a": {"@case": {"operator": "lower",
                         "value": {"@replace": {"pattern": "a", "value": path("$.a[-1]")}}}}},
        [("path-negative-index", "/a/@case/value/@replace/value/@path")],
    ),
    "a misspelt directive": ({"a": {"@pth": "$.a"}}, [("directive-unknown", "/a")]),
    "a misspelt directive in a list": ({"a": [{"@tempalte": "x"}]}, [("directive-unknown", "/a/0")]),
    "the shape of a list": (
        {"a": {"@arrayPath": ["$.list[*]", {"b/c": path("$.d['e.f']")}]}},
        [("path-wildcard", "/a/@arrayPath/0"), ("path-dot", "/a/@arrayPath/1/b~1c/@path")],
    ),
    "inside a transform": (
        {"@transform": {"apply": {"x": "$.a"}, "mapping": {"y": path("$.x[-1]")}}},
        [("text-like-path", "/@transform/apply/x"), ("path-negative-index", "/@transform/mapping/y/@path")],
    ),
    "inside null keys left out": (
        {"a": {"@excludeWhenNull": {"b": path("$.c.*")}}},
        [("path-wildcard", "/a/@excludeWhenNull/b/@path")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MAPPINGS)
def test_a_trap_in_a_mapping_is_told_with_its_path(case: str) -> None:
    mapping, traps = MAPPINGS[case]

    assert [(trap.code, trap.path) for trap in lint_mapping(mapping)] == traps


@pytest.mark.parametrize(
    "mapping",
    [
        {"a": path("$."), "b": path("$.properties['order id'][0].x"), "c": path("traits.email")},
        {"a": "5 $ only", "b": "{event}", "c": 5, "d": None, "e": {"@literal": "$.not.a.path"}},
        {"a": {"@template": "{{properties.a}} and {{{b[0].c}}}"}},
        {"a": {"@if": {"exists": path("$.a"), "then": "", "else": {"@literal": False}}}},
        {"a": {"@json": {"mode": "decode", "value": path("$.a")}}, "_metadata": {"@x": "$.a"}},
        {"a": {"@merge": {"direction": "left", "objects": [path("$.a"), {"b": 1}]}}},
        {"a": {"@flatten": {"separator": ".", "value": path("$.a")}}},
        {"a": {"@path": path("$.pointer")}},
    ],
)
def test_a_sound_mapping_has_no_traps(mapping: Any) -> None:
    assert lint_mapping(mapping) == []


@pytest.mark.parametrize(
    ("name", "hint"), [("@pth", "@path"), ("@arraypath", "@arrayPath"), ("@temlate", "@template")]
)
def test_a_misspelt_directive_is_answered_with_the_nearest(name: str, hint: str) -> None:
    (trap,) = lint_mapping({"a": {name: "$.a"}})

    assert (trap.text, trap.fix) == (f"{name} is no directive.", f"Did you mean {hint}?")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "$.a", "{{a}}", "left", "$.a[-1]", "*"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["a", "exists", "blank", "else", "mode", "value", "direction", "objects", "@path",
                         "@if", "@json", "@merge", "@case", "@arrayPath", "@template", "@transform", "@x",
                         "_metadata"]),
        inner, max_size=2,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(_JSON)
def test_any_mapping_is_looked_at_and_every_path_leads_somewhere(mapping: Any) -> None:
    for trap in lint_mapping(mapping):
        value = mapping
        for step in trap.path.split("/")[1:]:
            value = value[int(step)] if isinstance(value, list) else value[step]


def subscription(action: str, query: str, mapping: Any) -> Any:
    return {"name": "a", "subscribe": query, "partnerAction": action, "mapping": mapping}


EVENT = {"event": path("$.event")}

NARROW = {"products": {"@arrayPath": ["$.properties.products", {"sku": path("sku")}]}}

ORDERS = 'type = "track" and event = "Order Completed"'

DOCUMENTS: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "purchases of all track calls": (
        subscription("trackPurchase", 'type = "track"', EVENT),
        [("purchase-not-restricted", "/subscriptions/0/subscribe")],
    ),
    "purchases of everything but one": (
        subscription("storePurchase", 'type = "track" and event != "Product Viewed"', EVENT),
        [("purchase-not-restricted", "/subscriptions/0/subscribe")],
    ),
    "purchases of orders": (subscription("trackPurchase", ORDERS, EVENT), []),
    "purchases of all events of orders": (
        subscription("trackPurchase", 'type = "track" and match(event, "Order *")', EVENT), [],
    ),
    "all track calls for events": (subscription("trackEvent", 'type = "track"', EVENT), []),
    "a query that is a fault": (subscription("trackPurchase", "type", EVENT), []),
    "products with few keys": (
        subscription("trackPurchase", ORDERS, {**EVENT, **NARROW}),
        [("products-narrowed", "/subscriptions/0/mapping/products/@arrayPath/1")],
    ),
    "products with all keys": (
        subscription("trackPurchase", ORDERS, {
            **EVENT, "products": {"@arrayPath": ["$.properties.products", {key: path(key) for key in KEPT}]},
        }),
        [],
    ),
    "other lists with few keys": (
        subscription("trackPurchase", ORDERS, {**EVENT, "x": {"@arrayPath": ["$.a.coupons", {"b": 1}]}}), [],
    ),
    "products with few keys, not of orders": (
        subscription("trackEvent", ORDERS, {**EVENT, **NARROW}), [],
    ),
    "a required field left out": (
        subscription("trackEvent", ORDERS, {}),
        [("required-empty", "/subscriptions/0/mapping/event")],
    ),
    "a required field that is empty": (
        subscription("trackEvent", ORDERS, {"event": ""}),
        [("required-empty", "/subscriptions/0/mapping/event")],
    ),
    "a required field with a default": (subscription("storePurchase", ORDERS, {}), []),
    "a required field with a default, emptied": (
        subscription("storePurchase", ORDERS, {"event": {}}),
        [("required-empty", "/subscriptions/0/mapping/event")],
    ),
    "an unknown action": (
        subscription("sendSms", "type = 'track'", {"to": "$.traits.phone"}),
        [("single-quotes", "/subscriptions/0/subscribe"), ("text-like-path", "/subscriptions/0/mapping/to")],
    ),
    "a disabled subscription": (
        {**subscription("trackPurchase", 'type = "track"', {}), "enabled": False}, [],
    ),
    "no subscription at all": ("track", []),
    "keys that are no texts": (subscription("trackEvent", ORDERS, {**EVENT, 5: {6: "$.a"}}), []),
}  # fmt: skip


@pytest.mark.parametrize("case", DOCUMENTS)
def test_what_only_an_action_makes_a_trap_is_told(case: str) -> None:
    item, traps = DOCUMENTS[case]

    found = lint_document({"subscriptions": [item]}, ACTIONS)

    assert [(trap.code, trap.path) for trap in found] == traps


def test_the_keys_that_products_lose_are_named() -> None:
    document = {"subscriptions": [subscription("trackPurchase", ORDERS, {**EVENT, **NARROW})]}

    (trap,) = lint_document(document, ACTIONS)

    assert "product_id, price." in trap.text


@pytest.mark.parametrize("document", [None, [], {}, {"subscriptions": None}, {"subscriptions": [None, 5]}])
def test_what_is_no_document_has_no_traps(document: Any) -> None:
    assert lint_document(document, ACTIONS) == []
