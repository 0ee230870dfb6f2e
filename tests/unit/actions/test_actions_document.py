"""A mapping document: every fault at once, and what the compiled one gives (architecture, laws 4 and 5)."""

from __future__ import annotations

from typing import Any

import pytest
from action_samples import call, document, order, track

from connector.actions import compile_destination
from connector.actions.call import LakeSettings, SourceRules
from connector.actions.fields import LAKE_ACTIONS
from connector.errors import MappingError


def faults(document: Any) -> list[str]:
    with pytest.raises(MappingError) as error:
        compile_destination(document)
    return [str(fault) for fault in error.value.faults]


def one(**more: Any) -> dict[str, Any]:
    item = {"name": "A", "subscribe": 'type = "track"', "partnerAction": "storeEvent", "mapping": {}, **more}
    return {"subscriptions": [item]}


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], "/ should be an object with settings and subscriptions"),
        ({}, "/subscriptions should be a list of at least one subscription"),
        ({"subscriptions": []}, "/subscriptions should be a list of at least one subscription"),
        ({"subscriptions": ["x"]}, "/subscriptions/0 should be an object"),
        (one() | {"settings": []}, "/settings should be an object"),
        (one() | {"settings": {"region": "EU"}}, "/settings/region is no setting of the lake"),
        (one() | {"subscription": []}, "/subscription is not known here; did you mean 'subscriptions'?"),
        (one(name=""), "/subscriptions/0/name should be a text that is not empty"),
        (one(subscribe=None), "/subscriptions/0/subscribe should be a text that is not empty"),
        (one(enabled="no"), "/subscriptions/0/enabled should be true or false"),
        (one(mapping=[]), "/subscriptions/0/mapping should be an object"),
        (one(subscribes="x"), "/subscriptions/0/subscribes is not known here; did you mean 'subscribe'?"),
        (
            one(partnerAction="storeEvents"),
            "/subscriptions/0/partnerAction 'storeEvents' is no action of the lake;"
            " did you mean 'storeEvent'?",
        ),
        (
            one(mapping={"evnt": 1}),
            "/subscriptions/0/mapping/evnt is not known here; did you mean 'event'?",
        ),
        (
            one(mapping={"generatePurchaseEventPerProduct": True}),
            "/subscriptions/0/mapping/generatePurchaseEventPerProduct is not known here;"
            " known: event, columns",
        ),
        (
            one(mapping={"columns": {"pric": 1}}),
            "/subscriptions/0/mapping/columns/pric is no column that can be set; did you mean 'price'?",
        ),
        (one(mapping={"columns": []}), "/subscriptions/0/mapping/columns should be an object"),
        (
            one(mapping={"columns": {"@path": "$.properties"}}),
            "/subscriptions/0/mapping/columns should name columns, not be a directive",
        ),
        (
            one(partnerAction="storePurchase", mapping={"generatePurchaseEventPerProduct": "yes"}),
            "/subscriptions/0/mapping/generatePurchaseEventPerProduct should be true, false or a directive",
        ),
    ],
)
def test_one_fault(document: Any, fault: str) -> None:
    assert faults(document) == [fault]


def test_an_action_unlike_any_other_gets_the_whole_list() -> None:
    (fault,) = faults(one(partnerAction="webhook"))

    assert all(action.partner_action in fault for action in LAKE_ACTIONS)


@pytest.mark.parametrize(
    "name",
    ["row_id", "timestamp", "source", "line_revenue", "flags", "products", "properties", "captured_index"],
)
def test_identity_lines_and_lists_cannot_be_set(name: str) -> None:
    (fault,) = faults(one(mapping={"columns": {name: "x"}}))

    assert fault.startswith(f"/subscriptions/0/mapping/columns/{name} is no column that can be set")


@pytest.mark.parametrize("name", ["subject_kind", "subject_hash"])
def test_the_hash_of_a_forgotten_person_cannot_be_set(name: str) -> None:
    fields = {"columns": {name: {"@path": "$.userId"}}}

    assert faults(document("storeDeletion", fields))[0].startswith(
        f"/subscriptions/0/mapping/columns/{name} "
    )


def test_every_fault_is_reported_at_once() -> None:
    broken = {
        "settings": {"region": "EU"},
        "subscriptions": [
            {
                "name": "A",
                "subscribe": "type",
                "partnerAction": "storeEvent",
                "mapping": {"event": {"@pth": "$."}, "colums": {}, "columns": {"pric": 1}},
                "enable": True,
            },
            {"name": "A", "subscribe": 'type = "track"', "partnerAction": "storeEvents"},
            {"name": "B", "subscribe": "event", "partnerAction": "storeEvent", "mapping": 5},
        ],
    }

    paths = [fault.split()[0] for fault in faults(broken)]

    assert sorted(paths) == [
        "/settings/region",
        "/subscriptions/0/enable",
        "/subscriptions/0/mapping/columns/pric",
        "/subscriptions/0/mapping/colums",
        "/subscriptions/0/mapping/event",
        "/subscriptions/0/subscribe",
        "/subscriptions/1/partnerAction",
        "/subscriptions/2/mapping",
        "/subscriptions/2/subscribe",
    ]


def test_two_subscriptions_of_one_name() -> None:
    item = one()["subscriptions"][0]

    assert faults({"subscriptions": [item, item]}) == [
        "/subscriptions/1/name is used by another subscription"
    ]


def test_a_field_left_empty_has_its_default() -> None:
    fields = {"event": None, "columns": None, "generatePurchaseEventPerProduct": None}

    assert compile_destination(document("storePurchase", fields))(order()) == compile_destination(document())(
        order()
    )


def test_settings_may_be_left_out_or_empty() -> None:
    rows = [
        compile_destination({**one(), **more})(track("A"))
        for more in ({}, {"settings": None}, {"settings": {}})
    ]

    assert rows[0] == rows[1] == rows[2] != []


def test_a_subscription_that_is_switched_off_matches_nothing() -> None:
    assert compile_destination(one(enabled=False))(track("A")) == []


def test_rows_are_shown_as_json_shows_them() -> None:
    event = track("Order Completed", {"revenue": "40.50", "currency": "USD", "step": 2.0, "categories": 1,
                                      "products": [{"id": "mug", "price": 40.5}]})  # fmt: skip

    main, line = compile_destination(document())(event)

    del main["row"]["row_id"], line["row"]["row_id"]
    common = {
        "message_id": "ajs-1",
        "source": "file",
        "type": "track",
        "received_event": "Order Completed",
        "user_id": "usr_1",
        "distinct_id": "usr_1",
        "timestamp": "2026-03-14T12:00:00.000Z",
        "received_at": "2026-03-14T12:00:00.000Z",
        "currency": "USD",
        "line_count": 1,
        "violations": [],
        "proven": "none",
        "mapping": "",
        "subscription": "All",
    }
    product = [
        {"code": "key_alias", "path": "properties.products[0].id"},
        {"code": "quantity_assumed", "path": "properties.products[0].quantity"},
    ]
    assert main == {
        "table": "events",
        "row": {
            **common,
            "event": "Order Completed",
            "products": [{"product_id": "mug", "price": "40.5"}],
            "revenue": "40.5",
            "step": 2,
            "order_revenue": "40.5",
            "order_revenue_from": "revenue",
            "properties": '{"revenue":"40.50","currency":"USD","step":2.0,"categories":1,'
            '"products":[{"id":"mug","price":40.5}]}',
            "flags": [{"code": "number_from_text", "path": "properties.revenue"}, *product],
        },
    }
    assert line == {
        "table": "events",
        "row": {
            **common,
            "event": "Product Purchased",
            "price": "40.5",
            "product_id": "mug",
            "line_index": 0,
            "line_revenue": "40.5",
            "properties": '{"id":"mug","price":40.5}',
            "flags": product,
        },
    }


def test_columns_are_shown_in_the_order_of_the_table() -> None:
    lake = LakeSettings()

    for shown in compile_destination(document())(order()):
        order_of = list(lake.table(shown["table"]).by_name)
        assert list(shown["row"]) == sorted(shown["row"], key=order_of.index)


def test_a_refused_event_says_why() -> None:
    (shown,) = compile_destination(document())({"type": "track"})

    assert shown == {"rejected": {"code": "event_missing", "message": "a track call needs an event name"}}


def test_what_nobody_subscribes_to_gives_nothing() -> None:
    assert compile_destination(document("storeGroup"))(track("A")) == []


def test_an_event_field_that_is_no_object_is_refused_without_telling_the_value() -> None:
    run = compile_destination(one(mapping={"event": {"@path": "$.properties.secret"}}))

    (shown,) = run(track("A", {"secret": "hunter2"}))

    assert shown["rejected"]["code"] == "mapping_failed"
    assert "hunter2" not in shown["rejected"]["message"]


def test_one_refusal_refuses_the_whole_event() -> None:
    good, bad = one()["subscriptions"][0], {**one()["subscriptions"][0], "name": "B"}
    bad["mapping"] = {"event": {"@path": "$.properties.none"}}

    (shown,) = compile_destination({"subscriptions": [good, bad]})(track("A"))

    assert shown["rejected"]["code"] == "mapping_failed"


def test_the_settings_of_the_lake_count() -> None:
    settings = LakeSettings(sources={"file": SourceRules(currency="EUR")})

    (shown,) = compile_destination(one(), settings=settings)(track("A", {"value": 1}))

    assert shown["row"]["currency"] == "EUR"


def test_the_event_is_not_modified() -> None:
    sent = call("page", name="Home", properties={"name": "Home"})

    compile_destination(document())(sent)

    assert sent == call("page", name="Home", properties={"name": "Home"})
